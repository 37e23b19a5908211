"""/v1/webhooks"""

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Query, Response

from adaptwin_core.domain.states import DeliveryState
from adaptwin_core.rest.base import Page
from adaptwin_core.rest.webhooks import DeliveryOut, NewWebhook, WebhookChange, WebhookMade, WebhookOut
from adaptwin_core.service import webhooks
from api.deps import After, Limit, Running, Scope, TenantRoute, announce, in_transaction, page_of
from api.path_ids import DeliveryId, WebhookId
from api.problems import documented
from api.webhook_lookup import looked_up

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"], route_class=TenantRoute)

InState = Annotated[DeliveryState | None, Query(description="List only deliveries in this state.")]


@router.post("", status_code=201, responses=documented(400, 413, 429))
async def create_webhook(body: NewWebhook, scope: Scope, service: Running, response: Response) -> WebhookMade:
    """Have events posted to an address when datasets, jobs and exports end. The signing secret is shown this once."""
    max_webhooks = service.settings.max_webhooks
    await in_transaction(service, webhooks.require_room, scope, max_webhooks=max_webhooks)
    target = await looked_up(service.courier.targets, body.url)  # outside of a transaction, since it may take long
    webhook = await in_transaction(
        service, webhooks.create, scope, target=target, events=body.events, max_webhooks=max_webhooks
    )
    shown = WebhookOut.model_validate(webhook)
    response.headers["Location"] = f"/v1/webhooks/{shown.id}"
    return WebhookMade(**shown.model_dump(), secret=service.courier.signer.secret_of(shown.id))


@router.get("")
def list_webhooks(scope: Scope, service: Running, after: After = None, limit: Limit = 50) -> Page[WebhookOut]:
    """List webhooks, newest first."""
    with service.database.transaction() as session:
        rows, has_more = page_of(webhooks.list_webhooks(session, scope, after=after, limit=limit + 1), limit)
        return Page(items=[WebhookOut.model_validate(row) for row in rows], has_more=has_more)


@router.get("/{webhook_id}", responses=documented(404))
def get_webhook(webhook_id: WebhookId, scope: Scope, service: Running) -> WebhookOut:
    """Show a webhook."""
    with service.database.transaction() as session:
        return WebhookOut.model_validate(webhooks.get(session, scope, webhook_id))


@router.patch("/{webhook_id}", responses=documented(400, 404, 413))
async def change_webhook(webhook_id: WebhookId, body: WebhookChange, scope: Scope, service: Running) -> WebhookOut:
    """Change a webhook. Events that were not sent yet go to the new address. The secret stays."""
    await in_transaction(service, webhooks.get, scope, webhook_id)
    target = None if body.url is None else await looked_up(service.courier.targets, body.url)
    events = body.events if "events" in body.model_fields_set else webhooks.UNCHANGED  # null stands for all
    changed = await in_transaction(
        service, webhooks.change, scope, webhook_id, target=target, events=events, is_enabled=body.is_enabled
    )
    return WebhookOut.model_validate(changed)


@router.delete("/{webhook_id}", status_code=204, responses=documented(404))
def delete_webhook(webhook_id: WebhookId, scope: Scope, service: Running) -> None:
    """Delete a webhook with its log. Events that were not sent yet are not sent."""
    with service.database.transaction() as session:
        webhooks.delete(session, scope, webhook_id)


@router.post("/{webhook_id}/test", status_code=202, responses=documented(404, 409, 429))
def send_test(webhook_id: WebhookId, scope: Scope, service: Running, background: BackgroundTasks) -> DeliveryOut:
    """Send an event of the type `webhook.test`. It is tried once; the deliveries tell how it ended."""
    with service.database.transaction() as session:
        shown = DeliveryOut.model_validate(webhooks.send_test(session, scope, webhook_id))
    background.add_task(announce, service)
    return shown


@router.get("/{webhook_id}/deliveries", responses=documented(404))
def list_deliveries(
    webhook_id: WebhookId,
    scope: Scope,
    service: Running,
    after: After = None,
    limit: Limit = 50,
    state: InState = None,
) -> Page[DeliveryOut]:
    """List what was sent to a webhook, newest first. Those that ended are kept for 30 days."""
    with service.database.transaction() as session:
        found = webhooks.deliveries(session, scope, webhook_id, after=after, limit=limit + 1, state=state)
        rows, has_more = page_of(found, limit)
        return Page(items=[DeliveryOut.model_validate(row) for row in rows], has_more=has_more)


@router.post("/{webhook_id}/deliveries/{delivery_id}/resend", status_code=202, responses=documented(404, 409, 429))
def resend(
    webhook_id: WebhookId, delivery_id: DeliveryId, scope: Scope, service: Running, background: BackgroundTasks
) -> DeliveryOut:
    """Send an event again, under its old id. This makes a new delivery."""
    with service.database.transaction() as session:
        shown = DeliveryOut.model_validate(webhooks.resend(session, scope, webhook_id, delivery_id))
    background.add_task(announce, service)
    return shown

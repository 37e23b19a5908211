"""Webhooks as their owners see them: made, changed, tested, and what was sent to them."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy.orm import Session

from adaptwin_core.domain.errors import Conflict, LimitExceeded, NotFound
from adaptwin_core.domain.ids import new_id
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.states import DeliveryState
from adaptwin_core.domain.webhooks import TEST_EVENT, EventType
from adaptwin_core.service.webhook_events import body_of, send
from adaptwin_core.service.webhook_targets import Target
from adaptwin_core.store.queries import auth, owned
from adaptwin_core.store.queries import webhook_deliveries as log
from adaptwin_core.store.queries import webhooks as queries
from adaptwin_core.store.tables import Webhook, WebhookDelivery

Events = Sequence[EventType] | None  # None: all, also those of later versions


class Unchanged:
    """Stands for events that a change leaves as they are, because None stands for all."""


UNCHANGED: Final = Unchanged()
MAX_RESENDS: Final = 20  # of one tenant at once, so that receivers that never answer do not hold up everybody's events


def require_room(session: Session, scope: TenantScope, *, max_webhooks: int) -> None:
    """Check that the tenant may have another webhook. Raises LimitExceeded."""
    if (num_webhooks := queries.count(session, scope)) >= max_webhooks:
        raise LimitExceeded(f"you have {num_webhooks} webhooks, and may have {max_webhooks}: delete one first")


def create(session: Session, scope: TenantScope, *, target: Target, events: Events, max_webhooks: int) -> Webhook:
    """Make a webhook. Raises LimitExceeded: the tenant has as many as it may have."""
    auth.lock_tenant(session, scope)
    require_room(session, scope, max_webhooks=max_webhooks)
    webhook = Webhook(id=new_id("wh"), tenant_id=scope.tenant_id, url=str(target.url), events=_unique(events))
    session.add(webhook)
    session.flush()
    session.refresh(webhook)
    return webhook


def get(session: Session, scope: TenantScope, webhook_id: str) -> Webhook:
    """Return one webhook. Raises NotFound."""
    return owned.get(session, scope, Webhook, webhook_id)


def list_webhooks(session: Session, scope: TenantScope, *, after: str | None, limit: int) -> Sequence[Webhook]:
    """Return webhooks older than `after`, newest first."""
    return owned.newest_first(session, scope, Webhook, after=after, limit=limit)


def change(
    session: Session,
    scope: TenantScope,
    webhook_id: str,
    *,
    target: Target | None = None,
    events: Events | Unchanged = UNCHANGED,
    is_enabled: bool | None = None,
) -> Webhook:
    """Change what is given; what was not sent yet goes to the new address. Raises NotFound."""
    webhook = owned.get(session, scope, Webhook, webhook_id, lock=True)
    if target is not None:
        webhook.url = str(target.url)
    if not isinstance(events, Unchanged):
        webhook.events = _unique(events)
    if is_enabled is not None:
        webhook.is_enabled = is_enabled
    session.flush()
    return webhook


def delete(session: Session, scope: TenantScope, webhook_id: str) -> None:
    """Delete a webhook with its log; what was not sent yet is never sent. Raises NotFound."""
    if not queries.remove(session, scope, webhook_id):
        raise NotFound(f"no such webhook: {webhook_id}")


def send_test(session: Session, scope: TenantScope, webhook_id: str) -> WebhookDelivery:
    """Send a test event, once.

    Raises:
        NotFound: no such webhook.
        Conflict: it is disabled.
        LimitExceeded: a test of it is under way.
    """
    _require_enabled(owned.get(session, scope, Webhook, webhook_id, lock=True))
    if log.has_open_test(session, scope, webhook_id):
        raise LimitExceeded("a test of this webhook is under way: wait until it has ended")
    body = body_of(TEST_EVENT, webhook_id=webhook_id)
    return _sent(session, WebhookDelivery(webhook_id=webhook_id, event_id=new_id("evt"), type=TEST_EVENT, body=body))


def deliveries(
    session: Session,
    scope: TenantScope,
    webhook_id: str,
    *,
    after: str | None,
    limit: int,
    state: DeliveryState | None = None,
) -> Sequence[WebhookDelivery]:
    """Return the log older than `after`, newest first, in one state or in all. Raises NotFound."""
    webhook = get(session, scope, webhook_id)
    return log.newest_first(session, scope, webhook.id, after=after, limit=limit, state=state)


def resend(session: Session, scope: TenantScope, webhook_id: str, delivery_id: str) -> WebhookDelivery:
    """Send the event of a delivery again, under the same event id, and return the new delivery.

    Raises:
        NotFound: no such webhook or delivery.
        Conflict: the webhook is disabled.
        LimitExceeded: the event is being sent again already, or too many events are.
    """
    auth.lock_tenant(session, scope)
    _require_enabled(owned.get(session, scope, Webhook, webhook_id, lock=True))
    old = log.get(session, scope, webhook_id, delivery_id)
    if log.has_other_pending(session, scope, old):
        raise LimitExceeded("this event is being sent again already: wait until that has ended")
    if log.num_pending_resends(session, scope) >= MAX_RESENDS:
        raise LimitExceeded(
            f"{MAX_RESENDS} events of yours are being sent again already: wait until one has arrived, or delete a "
            "webhook whose receiver does not answer"
        )
    return _sent(session, WebhookDelivery(webhook_id=webhook_id, event_id=old.event_id, type=old.type, body=old.body))


def _sent(session: Session, delivery: WebhookDelivery) -> WebhookDelivery:
    send(session, delivery)
    session.flush()
    session.refresh(delivery)
    return delivery


def _require_enabled(webhook: Webhook) -> None:
    if not webhook.is_enabled:
        raise Conflict("this webhook is disabled: set is_enabled first", code="illegal_state")


def _unique(events: Events) -> list[str] | None:
    return None if events is None else [str(event) for event in dict.fromkeys(events)]

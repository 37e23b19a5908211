"""The log of each webhook, as its owner sees it."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.orm import Session, aliased

from adaptwin_core.domain.errors import NotFound
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.states import DeliveryState
from adaptwin_core.domain.webhooks import TEST_EVENT
from adaptwin_core.store.tables import Webhook, WebhookDelivery


def get(session: Session, scope: TenantScope, webhook_id: str, delivery_id: str) -> WebhookDelivery:
    """Return one delivery. Raises NotFound."""
    row = session.scalar(select(WebhookDelivery).where(_is_of(scope, webhook_id), WebhookDelivery.id == delivery_id))
    if row is None:
        raise NotFound(f"the webhook has no delivery {delivery_id}")
    return row


def newest_first(
    session: Session,
    scope: TenantScope,
    webhook_id: str,
    *,
    after: str | None,
    limit: int,
    state: DeliveryState | None = None,
) -> Sequence[WebhookDelivery]:
    """Return up to `limit` deliveries older than the one `after`; with `state`, only those in this state."""
    query = select(WebhookDelivery).where(_is_of(scope, webhook_id)).order_by(WebhookDelivery.id.desc()).limit(limit)
    if after is not None:
        query = query.where(WebhookDelivery.id < after)
    if state is not None:
        query = query.where(WebhookDelivery.state == state)
    return session.scalars(query).all()


def has_open_test(session: Session, scope: TenantScope, webhook_id: str) -> bool:
    """Tell whether a test of this webhook waits or is being sent."""
    query = _pending(scope, webhook_id).where(WebhookDelivery.type == TEST_EVENT)
    return session.scalar(query) is not None


def has_other_pending(session: Session, scope: TenantScope, delivery: WebhookDelivery) -> bool:
    """Tell whether the event of a delivery is on its way to the same webhook by another one."""
    is_other = (WebhookDelivery.event_id == delivery.event_id) & (WebhookDelivery.id != delivery.id)
    return session.scalar(_pending(scope, delivery.webhook_id).where(is_other)) is not None


def num_pending_resends(session: Session, scope: TenantScope) -> int:
    """Count the deliveries of a tenant that send an event again, and that wait or are being sent."""
    earlier = aliased(WebhookDelivery)
    is_again = exists().where(
        earlier.webhook_id == WebhookDelivery.webhook_id,
        earlier.event_id == WebhookDelivery.event_id,
        earlier.id < WebhookDelivery.id,
    )
    query = select(func.count()).select_from(WebhookDelivery).join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
    is_pending = WebhookDelivery.state == DeliveryState.PENDING
    return session.scalar(query.where(Webhook.tenant_id == scope.tenant_id, is_pending, is_again)) or 0


def _pending(scope: TenantScope, webhook_id: str) -> Select[str]:
    is_pending = WebhookDelivery.state == DeliveryState.PENDING
    return select(WebhookDelivery.id).where(_is_of(scope, webhook_id), is_pending).limit(1)


def _is_of(scope: TenantScope, webhook_id: str) -> ColumnElement[bool]:
    is_owned = exists().where(Webhook.id == WebhookDelivery.webhook_id, Webhook.tenant_id == scope.tenant_id)
    return (WebhookDelivery.webhook_id == webhook_id) & is_owned

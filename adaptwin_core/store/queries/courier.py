"""Deliveries of all tenants, for whoever sends them. The database's clock decides, and `num_tries` is the fence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from adaptwin_core.domain.states import DeliveryState
from adaptwin_core.store.tables import Webhook, WebhookDelivery


@dataclass(frozen=True)
class HeldDelivery:
    """A delivery that is being sent. `num_tries` counts this try."""

    id: str
    webhook_id: str
    event_id: str
    type: str
    body: str
    num_tries: int
    url: str
    is_enabled: bool


def claim(session: Session, delivery_id: str, *, hold_s: float) -> HeldDelivery | None:
    """Take a delivery that is due; until `hold_s` have passed nobody else can. None: there is nothing to send."""
    row = session.execute(
        update(WebhookDelivery)
        .where(WebhookDelivery.id == delivery_id, Webhook.id == WebhookDelivery.webhook_id)
        .where(WebhookDelivery.state == DeliveryState.PENDING, WebhookDelivery.due_at <= func.now())
        .values(num_tries=WebhookDelivery.num_tries + 1, due_at=func.now() + timedelta(seconds=hold_s))
        .returning(
            WebhookDelivery.id,
            WebhookDelivery.webhook_id,
            WebhookDelivery.event_id,
            WebhookDelivery.type,
            WebhookDelivery.body,
            WebhookDelivery.num_tries,
            Webhook.url,
            Webhook.is_enabled,
        )
    ).one_or_none()
    return None if row is None else HeldDelivery(**row._asdict())


def settle(session: Session, held: HeldDelivery, values: dict[str, Any]) -> bool:
    """Note how a try ended. False, and nothing written: it was tried again meanwhile, or ended."""
    is_held = (WebhookDelivery.id == held.id) & (WebhookDelivery.num_tries == held.num_tries)
    statement = update(WebhookDelivery).where(is_held, WebhookDelivery.state == DeliveryState.PENDING)
    return session.execute(statement.values(**values).returning(WebhookDelivery.id)).one_or_none() is not None


def overdue(session: Session, *, by: timedelta, limit: int) -> Sequence[str]:
    """Return the ids of deliveries that should have been tried long ago."""
    is_late = (WebhookDelivery.state == DeliveryState.PENDING) & (WebhookDelivery.due_at < func.now() - by)
    return session.scalars(
        select(WebhookDelivery.id).where(is_late).order_by(WebhookDelivery.due_at).limit(limit)
    ).all()


def forget_ended(session: Session, *, after: timedelta) -> None:
    """Delete deliveries that ended longer ago than `after`."""
    session.execute(delete(WebhookDelivery).where(WebhookDelivery.finished_at < func.now() - after))

"""Rows of the outbox."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from adaptwin_core.store.tables import Outbox


def due(session: Session, *, limit: int) -> Sequence[Outbox]:
    """Return unsent messages that are due, locked; those that another process sends now are left out."""
    return session.scalars(
        select(Outbox)
        .where(Outbox.sent_at.is_(None), Outbox.due_at <= func.now())
        .order_by(Outbox.due_at, Outbox.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()


def forget_sent(session: Session, *, after: timedelta) -> None:
    """Delete messages that were sent longer ago than `after`."""
    session.execute(delete(Outbox).where(Outbox.sent_at < func.now() - after))

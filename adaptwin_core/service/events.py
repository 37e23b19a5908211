"""What happened to a job, in order. Writers hold the job's row, so event ids grow in the order they become visible."""

from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from adaptwin_core.store.tables import Event, Job

EventKind = Literal["state", "stage", "task", "warning"]


def add(session: Session, job: Job, kind: EventKind, message: str, **data: Any) -> None:
    """Tell people something about a job whose row this transaction has locked (or just made)."""
    session.add(Event(job_id=job.id, kind=kind, message=message, data=data))


def after(session: Session, job_id: str, *, after_id: int, limit: int) -> Sequence[Event]:
    """Return the next events of a job, oldest first."""
    return session.scalars(
        select(Event).where(Event.job_id == job_id, Event.id > after_id).order_by(Event.id).limit(limit)
    ).all()

"""Rows of events."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.store.tables import Event, Job


def after(session: Session, scope: TenantScope, job_id: str, *, after_id: int, limit: int) -> Sequence[Event]:
    """Return the next events of a job, oldest first."""
    return session.scalars(
        select(Event)
        .join(Job, Job.id == Event.job_id)
        .where(Job.tenant_id == scope.tenant_id, Event.job_id == job_id, Event.id > after_id)
        .order_by(Event.id)
        .limit(limit)
    ).all()

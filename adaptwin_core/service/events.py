"""What happened to a job; webhooks are told of its end.

Writers hold the job's row, so events become visible in the order of their ids.
"""

from typing import Any, Literal

from sqlalchemy.orm import Session

from adaptwin_core.service import webhook_events
from adaptwin_core.store.tables import Event, Job

EventKind = Literal["state", "stage", "task", "progress", "warning"]


def add(session: Session, job: Job, kind: EventKind, message: str, **data: Any) -> None:
    """Tell people something about a job whose row this transaction has locked (or just made)."""
    session.add(Event(job_id=job.id, kind=kind, message=message, data=data))
    if kind == "state":
        webhook_events.announce_job(session, job, model_id=data.get("model_id"))

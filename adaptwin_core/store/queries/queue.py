"""The queue of all tenants: the jobs that are not done, what their time depends on, and their tasks.

Only places in the queue and seconds come of it: nobody is told whose job is before theirs.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.states import JobState, TaskState
from adaptwin_core.store.tables import Dataset, Job, Task

LONG = ("rejects", "warnings", "notes")  # parts of a report that tell of single files
ACTIVE = (JobState.QUEUED, JobState.RUNNING)


@dataclass(frozen=True)
class JobFacts:
    """A job, and the figures of its speech, without the parts of their reports that are `LONG`."""

    job: Job
    speaker: dict[str, Any]
    general: dict[str, Any] | None


def active(session: Session, *, limit: int) -> list[JobFacts]:
    """Return the jobs that wait or run, the oldest first."""
    return _facts(session, Job.state.in_(ACTIVE), limit=limit)


def facts_of(session: Session, job_id: str) -> JobFacts:
    """Return a job's facts."""
    (found,) = _facts(session, Job.id == job_id, limit=1)
    return found


def tasks_of(session: Session, job_ids: Collection[str]) -> Sequence[Task]:
    """Return the tasks of these jobs."""
    return session.scalars(select(Task).where(Task.job_id.in_(job_ids))).all()


def num_ahead(session: Session, job_id: str, stages: Collection[Stage]) -> int | None:
    """Count the queued tasks of these stages that a worker takes before the next one of a job; None: it has none."""
    order = tuple_(Task.announced_at, Task.id)
    is_queued = (Task.state == TaskState.QUEUED) & Task.stage.in_(stages)
    own = select(Task.announced_at, Task.id).where(Task.job_id == job_id, is_queued).order_by(order).limit(1)
    first = session.execute(own).one_or_none()
    if first is None:
        return None
    return session.scalar(select(func.count()).select_from(Task).where(is_queued, order < tuple_(*first)))


def _facts(session: Session, where: ColumnElement[bool], *, limit: int) -> list[JobFacts]:
    speaker, general = aliased(Dataset), aliased(Dataset)
    rows = session.execute(
        select(Job, _figures(speaker.report_json), _figures(general.report_json))
        .join(speaker, speaker.id == Job.dataset_id)
        .outerjoin(general, general.id == Job.general_dataset_id)
        .where(where, or_(Job.general_dataset_id.is_(None), general.report_json.is_not(None)))
        .order_by(Job.id)
        .limit(limit)
    )
    return [JobFacts(*row) for row in rows]


def _figures(report: Any) -> Any:
    for name in LONG:
        report = report.op("-")(name)
    return report

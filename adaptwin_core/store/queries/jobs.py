"""Rows of jobs."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, aliased

from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.stage_table import JOB_STAGES
from adaptwin_core.domain.states import TERMINAL_JOB_STATES, JobState, TaskState
from adaptwin_core.store.tables import Job, Task


def by_idempotency_key(session: Session, scope: TenantScope, key: str) -> Job | None:
    """Return the job that a request with this key made."""
    return session.scalar(select(Job).where(Job.tenant_id == scope.tenant_id, Job.idempotency_key == key))


def num_unfinished(session: Session, scope: TenantScope) -> int:
    """Count the jobs that have not ended."""
    query = select(func.count()).select_from(Job)
    count: Any = session.scalar(query.where(Job.tenant_id == scope.tenant_id, Job.state.not_in(TERMINAL_JOB_STATES)))
    return int(count)


def locked(session: Session, job_id: str) -> Job:
    """Return a job as it is now, held against other writers until the transaction ends."""
    return session.get_one(Job, job_id, with_for_update={"key_share": True}, populate_existing=True)


def standing_still(session: Session, *, limit: int) -> Sequence[Job]:
    """Return running jobs whose stage has no open task, locked; not those that are being published."""
    open_task = aliased(Task)
    is_open = exists().where(
        open_task.job_id == Job.id, open_task.stage == Job.stage, open_task.state != TaskState.DONE
    )
    return session.scalars(
        select(Job)
        .where(Job.state == JobState.RUNNING, Job.stage != JOB_STAGES[-1], ~is_open)
        .with_for_update(skip_locked=True, key_share=True)
        .limit(limit)
    ).all()

"""Rows of tasks. What only the holder of a task may change is in `leases.py`."""

from collections.abc import Collection, Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, delete, exists, func, select, update
from sqlalchemy.orm import Session

from adaptwin_core.domain.ids import new_id
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.states import TaskState
from adaptwin_core.store.tables import Job, Task


def of_job(session: Session, scope: TenantScope, job_id: str) -> Sequence[Task]:
    """Return the tasks that a job has had so far, in the order in which they were made."""
    query = select(Task).where(_is_of(scope, job_id)).order_by(Task.created_at, Task.id)
    return session.scalars(query).all()


def unfinished_exports(session: Session, scope: TenantScope, job_id: str, place: int) -> Sequence[Task]:
    """Return the exports of one of a job's models that are not made: they wait, run or failed."""
    states = (TaskState.QUEUED, TaskState.RUNNING, TaskState.FAILED)
    query = select(Task).where(_is_export(scope, job_id, place), Task.state.in_(states))
    return session.scalars(query).all()


def forget_export(session: Session, scope: TenantScope, job_id: str, place: int, form: str) -> None:
    """Delete the task of an export, so that whoever may still hold it can no longer finish it."""
    session.execute(delete(Task).where(_is_export(scope, job_id, place), Task.key == form))


def cancel_exports(session: Session, scope: TenantScope, job_id: str, place: int) -> None:
    """Cancel the exports of one of a job's models that are not made."""
    _cancel(session, _is_export(scope, job_id, place))


def cancel_open(session: Session, scope: TenantScope, job_id: str) -> None:
    """Cancel what is left of a job's tasks; a worker that holds one finds out at its next heartbeat."""
    _cancel(session, _is_of(scope, job_id))


def pause_open(session: Session, scope: TenantScope, job_id: str) -> None:
    """Take back what is left of a job's tasks until they are renewed; a worker that holds one finds out as above."""
    session.execute(
        update(Task)
        .where(_is_of(scope, job_id), Task.state.in_([TaskState.QUEUED, TaskState.RUNNING]))
        .values(state=TaskState.PAUSED, lease_owner=None, lease_until=None, progress=None, started_at=None)
    )


def renew(
    session: Session, scope: TenantScope, job_id: str, stage: Stage, states: Collection[TaskState]
) -> Sequence[str]:
    """Queue the tasks of a stage that are in one of these states as if they were new.

    Each gets a new id: a worker that still holds it under the old one can no longer finish it.

    Returns:
        the new ids; their messages are still to be written.
    """
    query = select(Task).where(_is_of(scope, job_id), Task.stage == stage, Task.state.in_(states))
    renewed = session.scalars(query.order_by(Task.created_at, Task.id).with_for_update()).all()
    for task in renewed:
        task.id = new_id("task")
        task.state, task.attempt, task.announced_at = TaskState.QUEUED, 0, func.now()
        task.lease_owner = task.lease_until = task.progress = task.error = task.started_at = task.finished_at = None
    session.flush()
    return [task.id for task in renewed]


def num_waiting(session: Session, stages: Collection[Stage]) -> int:
    """Count the queued tasks of these stages."""
    query = select(func.count()).select_from(Task).where(Task.state == TaskState.QUEUED, Task.stage.in_(stages))
    return session.scalar(query) or 0


def announce_again(
    session: Session, stages: Collection[Stage], *, after: timedelta, limit: int
) -> Sequence[tuple[str, Stage]]:
    """Note a new announcement of queued tasks whose last one is older than `after`.

    Returns:
        (id, stage) of each; their messages are still to be written.
    """
    is_lost = (Task.state == TaskState.QUEUED) & Task.stage.in_(stages) & (Task.announced_at < func.now() - after)
    rows = session.execute(
        update(Task)
        .where(Task.id.in_(select(Task.id).where(is_lost).limit(limit)))
        .values(announced_at=func.now())
        .returning(Task.id, Task.stage)
    )
    return [(task_id, Stage(stage)) for task_id, stage in rows]


def held(session: Session) -> set[tuple[str, int]]:
    """Return (id, attempt) of every task that runs."""
    rows = session.execute(select(Task.id, Task.attempt).where(Task.state == TaskState.RUNNING))
    return {(task_id, attempt) for task_id, attempt in rows}


def _cancel(session: Session, which: ColumnElement[bool]) -> None:
    session.execute(
        update(Task)
        .where(which, Task.state.in_([TaskState.QUEUED, TaskState.RUNNING, TaskState.PAUSED]))
        .values(state=TaskState.CANCELLED, lease_owner=None, lease_until=None, finished_at=func.now())
    )


def _is_export(scope: TenantScope, job_id: str, place: int) -> ColumnElement[bool]:
    return _is_of(scope, job_id) & (Task.stage == Stage.EXPORT) & Task.models.contains([place])


def _is_of(scope: TenantScope, job_id: str) -> ColumnElement[bool]:
    is_owned = exists().where(Job.id == Task.job_id, Job.tenant_id == scope.tenant_id)
    return (Task.job_id == job_id) & is_owned

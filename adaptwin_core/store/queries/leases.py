"""The lease on a task. The database's clock decides. `attempt` is the fence: a late holder's updates match no row."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from adaptwin_core.domain.states import TaskState
from adaptwin_core.store.tables import Task


def claim(session: Session, task_id: str, owner: str, *, lease_s: float, max_attempts: int) -> int | None:
    """Take a task that is queued or whose lease ran out. Return the new attempt, or None when it is not to be had."""
    return session.execute(
        update(Task)
        .where(
            Task.id == task_id,
            Task.attempt < max_attempts,
            or_(Task.state == TaskState.QUEUED, (Task.state == TaskState.RUNNING) & (Task.lease_until < func.now())),
        )
        .values(
            state=TaskState.RUNNING,
            attempt=Task.attempt + 1,
            lease_owner=owner,
            lease_until=func.now() + timedelta(seconds=lease_s),
            started_at=func.coalesce(Task.started_at, func.now()),
            progress=None,
        )
        .returning(Task.attempt)
    ).scalar_one_or_none()


def extend(session: Session, task_id: str, attempt: int, *, lease_s: float, progress: dict[str, Any] | None) -> bool:
    """Keep a held lease for another `lease_s` and show progress. False: the lease is no longer ours."""
    values: dict[str, Any] = {"lease_until": func.now() + timedelta(seconds=lease_s)}
    if progress is not None:
        values["progress"] = progress
    return _touch(session, _held(task_id, attempt), values)


def finish(session: Session, task_id: str, attempt: int, state: TaskState, values: dict[str, Any]) -> bool:
    """Let go of a held task into `state`. False, and nothing written, when the lease is no longer ours."""
    released = {"state": state, "lease_owner": None, "lease_until": None, **values}
    if state is not TaskState.QUEUED:
        released["finished_at"] = func.now()
    return _touch(session, _held(task_id, attempt), released)


def silent(session: Session, *, limit: int) -> Sequence[str]:
    """Return the ids of running tasks whose lease ran out."""
    return session.scalars(select(Task.id).where(_is_silent()).limit(limit)).all()


def lock_silent(session: Session, task_id: str) -> Task | None:
    """Return a task, held until the transaction ends, if its lease did run out."""
    query = select(Task).where(Task.id == task_id, _is_silent()).with_for_update()
    return session.scalar(query.execution_options(populate_existing=True))


def _is_silent() -> ColumnElement[bool]:
    return (Task.state == TaskState.RUNNING) & (Task.lease_until < func.now())


def _held(task_id: str, attempt: int) -> ColumnElement[bool]:
    return (Task.id == task_id) & (Task.attempt == attempt) & (Task.state == TaskState.RUNNING)


def _touch(session: Session, where: ColumnElement[bool], values: dict[str, Any]) -> bool:
    return session.execute(update(Task).where(where).values(**values).returning(Task.id)).one_or_none() is not None

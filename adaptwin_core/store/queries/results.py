"""Rows of results. A result is found by its name, which holds the tenant's id and every input."""

from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.stages import Stage
from adaptwin_core.store.blobs import Files
from adaptwin_core.store.tables import Job, Result, Task


def find(session: Session, scope: TenantScope, key: str) -> Result | None:
    """Return a result as it is now."""
    query = select(Result).where(Result.key == key, Result.tenant_id == scope.tenant_id)
    return session.scalar(query.execution_options(populate_existing=True))


def add(session: Session, scope: TenantScope, key: str, *, files: Files, info: dict[str, Any]) -> None:
    """Record a result; one that is there already stays."""
    row = {"key": key, "tenant_id": scope.tenant_id, "files": files, "info": info}
    session.execute(insert(Result).values(row).on_conflict_do_nothing())


def forget(session: Session, scope: TenantScope, key: str) -> None:
    """Delete a result."""
    session.execute(delete(Result).where(Result.key == key, Result.tenant_id == scope.tenant_id))


def of_stage(
    session: Session, scope: TenantScope, job_id: str, stage: Stage, *, place: int
) -> list[tuple[str, Files, dict[str, Any]]]:
    """Return (task key, files, figures) of the finished tasks of one stage for one model of a job, in their order."""
    rows = session.execute(
        select(Task.key, Result.files, Result.info)
        .join(Result, Result.key == Task.result_key)
        .join(Job, Job.id == Task.job_id)
        .where(Task.job_id == job_id, Job.tenant_id == scope.tenant_id)
        .where(Task.stage == stage, Task.models.contains([place]))
        .order_by(Task.created_at, Task.id)
    )
    return [(key, files, info) for key, files, info in rows]

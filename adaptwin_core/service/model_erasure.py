"""Removes the bytes of deleted models, and what was measured on speech that was deleted. The sweeper repeats it."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import CompoundSelect, exists, select
from sqlalchemy.orm import Session

from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.service import erasure
from adaptwin_core.store.tables import Dataset, Job, Model, Result, Task

BATCH = 200


def erase(session: Session) -> int:
    """Remove the bytes of deleted models, and every result that only deleted things stand on. For the sweeper.

    Returns:
        How many rows were let go.
    """
    gone = session.scalars(
        select(Model).where(Model.deleted_at.is_not(None), Model.manifest["files"].is_not(None)).limit(BATCH)
    ).all()
    orphans = session.scalars(select(Result).where(Result.key.in_(_dead_results())).limit(BATCH)).all()
    files = [(model.tenant_id, file) for model in gone for file in _files(model)]
    files += [(result.tenant_id, file) for result in orphans if result.tenant_id for file in result.files.values()]
    for model in gone:
        model.manifest = {name: value for name, value in model.manifest.items() if name not in {"files", "exports"}}
    for result in orphans:
        session.delete(result)
    session.flush()
    for tenant_id, file in files:
        erasure.release(session, TenantScope(tenant_id), file["sha256"])
    return len(gone) + len(orphans)


def _files(model: Model) -> Iterator[dict[str, Any]]:
    yield from model.manifest["files"].values()
    for export in model.manifest.get("exports", {}).values():
        yield from export["files"].values()


def _dead_results() -> CompoundSelect[str | None]:
    """Name the results that no living job stands on: a job is dead once its model or its speech was deleted."""
    job_is_dead = (
        exists().where(Model.job_id == Job.id, Model.deleted_at.is_not(None))
        | exists().where(Dataset.id == Job.dataset_id, Dataset.deleted_at.is_not(None))
        | exists().where(Dataset.id == Job.general_dataset_id, Dataset.deleted_at.is_not(None))
    )
    tasks_of = select(Task.result_key).join(Job, Job.id == Task.job_id).where(Task.result_key.is_not(None))
    return tasks_of.where(job_is_dead).except_(tasks_of.where(~job_is_dead))

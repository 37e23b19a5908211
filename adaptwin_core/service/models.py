"""Finished models: list, describe, hand out files, delete."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func
from sqlalchemy.orm import Session

from adaptwin_core.domain.errors import NotFound
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.store.blobs import BlobRef, from_json
from adaptwin_core.store.queries import models as queries
from adaptwin_core.store.queries import owned, tasks
from adaptwin_core.store.tables import Job, Model


@dataclass(frozen=True)
class FileEntry:
    """One file of a model, and where its bytes are: a blob and its scope."""

    name: str
    blob: BlobRef
    scope: str


def list_models(session: Session, scope: TenantScope, *, after: str | None, limit: int) -> Sequence[Model]:
    """Return models older than `after`, newest first."""
    return owned.newest_first(session, scope, Model, after=after, limit=limit)


def get(session: Session, scope: TenantScope, model_id: str) -> Model:
    """Return one model. Raises NotFound, with code "gone" when it was deleted."""
    model = owned.get(session, scope, Model, model_id)
    if model.deleted_at is not None:
        raise NotFound(f"model {model_id} was deleted", code="gone")
    return model


def of_job(session: Session, scope: TenantScope, job_id: str) -> Mapping[int, Model]:
    """Return the models that a job made, by their places, without those that were deleted."""
    return queries.of_job(session, scope, job_id)


def open_file(session: Session, scope: TenantScope, model_id: str, name: str) -> FileEntry:
    """Return where a model's file is. Raises NotFound."""
    entry = from_json(get(session, scope, model_id).manifest["files"]).get(name)
    if entry is None:
        raise NotFound(f"model {model_id} has no file {name}; its manifest lists those it has")
    return FileEntry(name, entry, scope.tenant_id)


def count_download(session: Session, scope: TenantScope, model_id: str) -> None:
    """Note that a file of a model was handed out."""
    queries.count_download(session, scope, model_id)


def delete(session: Session, scope: TenantScope, model_id: str) -> None:
    """Delete a model for good. Its owner no longer sees it; its bytes go with the next erasure. Raises NotFound."""
    job = owned.get(session, scope, Job, get(session, scope, model_id).job_id, lock=True)
    model = owned.get(session, scope, Model, model_id, lock=True)
    model.deleted_at = func.now()
    tasks.cancel_exports(session, scope, job.id, model.place)

"""Finished models: list, describe, delete."""

from collections.abc import Mapping, Sequence

from sqlalchemy import func
from sqlalchemy.orm import Session

from adaptwin_core.domain.errors import NotFound
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.store.blobs import Files, from_json
from adaptwin_core.store.queries import models as queries
from adaptwin_core.store.queries import owned, tasks
from adaptwin_core.store.tables import Job, Model


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


def files(session: Session, scope: TenantScope, model_id: str) -> Files:
    """Return where each file of a model is. Raises NotFound."""
    return from_json(get(session, scope, model_id).manifest["files"])


def delete(session: Session, scope: TenantScope, model_id: str) -> None:
    """Delete a model for good. Its owner no longer sees it; its bytes go with the next erasure. Raises NotFound."""
    job = owned.get(session, scope, Job, get(session, scope, model_id).job_id, lock=True)
    model = owned.get(session, scope, Model, model_id, lock=True)
    model.deleted_at = func.now()
    tasks.cancel_exports(session, scope, job.id, model.place)

"""/v1/models"""

from fastapi import APIRouter

from adaptwin_core.rest.base import Page
from adaptwin_core.rest.models import ModelOut, ModelSummary
from adaptwin_core.service import models
from api.deps import After, Limit, Running, Scope, TenantRoute, erase_now, page_of
from api.path_ids import ModelId
from api.problems import documented

router = APIRouter(prefix="/v1/models", tags=["models"], route_class=TenantRoute)


@router.get("")
def list_models(scope: Scope, service: Running, after: After = None, limit: Limit = 50) -> Page[ModelSummary]:
    """List finished models, newest first."""
    with service.database.transaction() as session:
        rows, has_more = page_of(models.list_models(session, scope, after=after, limit=limit + 1), limit)
        return Page(items=[ModelSummary.model_validate(row) for row in rows], has_more=has_more)


@router.get("/{model_id}", responses=documented(404, 410))
def get_model(model_id: ModelId, scope: Scope, service: Running) -> ModelOut:
    """Show a model's manifest: its files with their SHA-256, and its figures."""
    with service.database.transaction() as session:
        return ModelOut.model_validate(models.get(session, scope, model_id))


@router.delete("/{model_id}", status_code=204, responses=documented(404, 410))
def delete_model(model_id: ModelId, scope: Scope, service: Running) -> None:
    """Delete a model and its files. This cannot be undone."""
    with service.database.transaction() as session:
        models.delete(session, scope, model_id)
    erase_now(service)

"""/v1/base-models"""

from fastapi import APIRouter

from adaptwin_core.rest.base import Page
from adaptwin_core.rest.models import BaseModelOut, ParamCounts
from adaptwin_core.service import base_models
from adaptwin_core.store.tables import BaseModel
from api.deps import Running, Scope, TenantRoute

router = APIRouter(prefix="/v1/base-models", tags=["base models"], route_class=TenantRoute)


@router.get("")
def list_base_models(_: Scope, service: Running) -> Page[BaseModelOut]:
    """List the models that a job may start from, with exact parameter counts."""
    with service.database.transaction() as session:
        return Page(items=[_shown(row) for row in base_models.list_base_models(session)], has_more=False)


def _shown(row: BaseModel) -> BaseModelOut:
    """Show a base model, without its source, which may be a path of this server."""
    shape = row.shape
    params = ParamCounts(encoder=shape.encoder_params, decoder=shape.decoder_params, total=shape.total_params)
    return BaseModelOut(
        id=row.id, digest=row.digest, licence=row.licence, languages=row.languages, shape=shape, params=params
    )

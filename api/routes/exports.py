"""/v1/export-formats, /v1/models/{model_id}/exports"""

from fastapi import APIRouter, BackgroundTasks, Response

from adaptwin_core.domain.exports import FORMATS, ExportName
from adaptwin_core.rest.base import Page
from adaptwin_core.rest.models import ExportFormatOut, ExportOut, NewExport
from adaptwin_core.service import exports
from api.deps import Running, Scope, TenantRoute, announce
from api.path_ids import ModelId
from api.problems import documented

router = APIRouter(prefix="/v1", tags=["exports"], route_class=TenantRoute)


@router.get("/export-formats")
def list_formats(scope: Scope) -> Page[ExportFormatOut]:  # noqa: ARG001  # only holders of a key may ask
    """List the formats that a finished model can be exported to."""
    return Page(items=[ExportFormatOut.model_validate(form) for form in FORMATS.values()], has_more=False)


@router.get("/models/{model_id}/exports", responses=documented(404, 410))
def list_exports(model_id: ModelId, scope: Scope, service: Running) -> Page[ExportOut]:
    """List the exports of a model that were requested, with the verdict on each."""
    with service.database.transaction() as session:
        found = exports.of_model(session, scope, model_id)
        return Page(items=[ExportOut.model_validate(export) for export in found], has_more=False)


@router.post("/models/{model_id}/exports", status_code=202, responses=documented(404, 410))
def request_export(
    model_id: ModelId, body: NewExport, scope: Scope, service: Running, response: Response, background: BackgroundTasks
) -> ExportOut:
    """Export a model to a format. A second request shows what is there, and tries a failed export again."""
    with service.database.transaction() as session:
        export, is_new = exports.request(session, scope, model_id, body.format)
        shown = ExportOut.model_validate(export)
    if not is_new:
        response.status_code = 200
    response.headers["Location"] = f"/v1/models/{model_id}/exports/{shown.format}"
    background.add_task(announce, service)
    return shown


@router.get("/models/{model_id}/exports/{form}", responses=documented(404, 410))
def get_export(model_id: ModelId, form: ExportName, scope: Scope, service: Running) -> ExportOut:
    """Show one export of a model: its progress, its verdict and its files."""
    with service.database.transaction() as session:
        return ExportOut.model_validate(exports.get(session, scope, model_id, form))

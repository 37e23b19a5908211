"""Files and archives of models and exports, and signed links to them."""

from datetime import timedelta

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from adaptwin_core.domain.exports import ExportName
from adaptwin_core.rest.models import LinkOut, NewLink
from adaptwin_core.service import downloads
from adaptwin_core.service.downloads import Target
from api.deps import KeyId, Running, Scope, TenantRoute
from api.download_answer import ARCHIVE_ANSWERS, FILE_ANSWERS, Wanted, download_answer
from api.download_route import LINKED, DownloadRoute, url_of
from api.path_ids import FileName, ModelId
from api.problems import documented

router = APIRouter(prefix="/v1/models/{model_id}", route_class=DownloadRoute, dependencies=LINKED)
links = APIRouter(prefix="/v1/models/{model_id}", tags=["models"], route_class=TenantRoute)

HEAD_ANSWERS = documented(403, 404, 409, 410)
REFUSALS = documented(403, 404, 409, 410, 416)


@router.get(
    "/files/{name:path}",
    tags=["models"],
    response_class=StreamingResponse,
    responses={**FILE_ANSWERS, **REFUSALS},
)
@router.head("/files/{name:path}", tags=["models"], response_class=Response, responses=HEAD_ANSWERS)
def get_file(model_id: ModelId, name: FileName, scope: Scope, wanted: Wanted) -> Response:
    """Download one file of a model. A download that breaks off goes on with `Range` and `If-Range`."""
    return download_answer(Target(model_id, None, name), scope, wanted)


@router.get("/archive", tags=["models"], response_class=StreamingResponse, responses={**ARCHIVE_ANSWERS, **REFUSALS})
@router.head("/archive", tags=["models"], response_class=Response, responses=HEAD_ANSWERS)
def get_archive(model_id: ModelId, scope: Scope, wanted: Wanted) -> Response:
    """Download all files of a model as one tar archive, which is uncompressed. It goes on after a break as files do."""
    return download_answer(Target(model_id, None, None), scope, wanted)


@router.get(
    "/exports/{form}/files/{name:path}",
    tags=["exports"],
    response_class=StreamingResponse,
    responses={**FILE_ANSWERS, **REFUSALS},
)
@router.head("/exports/{form}/files/{name:path}", tags=["exports"], response_class=Response, responses=HEAD_ANSWERS)
def get_export_file(model_id: ModelId, form: ExportName, name: FileName, scope: Scope, wanted: Wanted) -> Response:
    """Download one file of an export."""
    return download_answer(Target(model_id, form, name), scope, wanted)


@router.get(
    "/exports/{form}/archive",
    tags=["exports"],
    response_class=StreamingResponse,
    responses={**ARCHIVE_ANSWERS, **REFUSALS},
)
@router.head("/exports/{form}/archive", tags=["exports"], response_class=Response, responses=HEAD_ANSWERS)
def get_export_archive(model_id: ModelId, form: ExportName, scope: Scope, wanted: Wanted) -> Response:
    """Download all files of an export as one tar archive."""
    return download_answer(Target(model_id, form, None), scope, wanted)


@links.post("/links", responses=documented(404, 409, 410))
def make_link(
    model_id: ModelId, body: NewLink, request: Request, scope: Scope, key_id: KeyId, service: Running
) -> LinkOut:
    """Make a link that downloads a model, an export or one of their files without a key.

    Whoever has the link can use it until it ends, until the key that made it is revoked, or until the model is deleted.
    """
    target = Target(model_id, body.export, body.file)
    with service.database.transaction() as session:
        downloads.find(session, scope, target)
    link = service.links.sign(key_id, target, timedelta(seconds=body.expires_in_s))
    return LinkOut(url=url_of(request, target, link), expires_at=link.expires_at)

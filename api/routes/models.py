"""/v1/models"""

from collections.abc import Iterator
from itertools import chain
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Header, Path, Request, Response
from fastapi.responses import StreamingResponse

from adaptwin_core.domain.errors import CorruptBlob, InvalidInput, NotFound
from adaptwin_core.service import models
from adaptwin_core.service.models import FileEntry
from adaptwin_core.store.blobs import get_blobs
from adaptwin_core.store.engine import unit_of_work
from api.deps import After, Limit, Scope, TenantRoute, erase_now, page_of
from api.problems import documented, from_error
from api.ranges import etag_of, is_known, part_of
from api.schemas import ModelId, ModelOut, ModelSummary, Page

router = APIRouter(prefix="/v1/models", tags=["models"], route_class=TenantRoute)

FileName = Annotated[str, Path(max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["model.safetensors"])]
_FILE = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}


@router.get("")
def list_models(scope: Scope, after: After = None, limit: Limit = 50) -> Page[ModelSummary]:
    """List finished models, newest first."""
    with unit_of_work() as session:
        rows, has_more = page_of(models.list_models(session, scope, after=after, limit=limit + 1), limit)
        return Page(items=[ModelSummary.model_validate(row) for row in rows], has_more=has_more)


@router.get("/{model_id}", responses=documented(404, 410))
def get_model(model_id: ModelId, scope: Scope) -> ModelOut:
    """Show a model's manifest: its files with their SHA-256, and its figures."""
    with unit_of_work() as session:
        return ModelOut.model_validate(models.get(session, scope, model_id))


@router.get(
    "/{model_id}/files/{name:path}",
    response_class=StreamingResponse,
    responses={
        200: {"content": _FILE, "description": "the whole file"},
        206: {"content": _FILE, "description": "the bytes asked for"},
        304: {"description": "the client has these bytes"},
        **documented(404, 410, 416),
    },
)
@router.head("/{model_id}/files/{name:path}", response_class=Response, responses=documented(404, 410))
def get_file(  # FastAPI passes them by name
    model_id: ModelId,
    name: FileName,
    request: Request,
    scope: Scope,
    range_: Annotated[str | None, Header(alias="Range")] = None,
    if_range: Annotated[str | None, Header(alias="If-Range")] = None,
    if_none_match: Annotated[str | None, Header(alias="If-None-Match")] = None,
) -> Response:
    """Download one file of a model. A download that breaks off goes on with `Range` and `If-Range`."""
    with unit_of_work() as session:
        file = models.open_file(session, scope, model_id, name)
    etag = etag_of(file.sha256)
    headers = {"ETag": etag, "Accept-Ranges": "bytes", "Cache-Control": "private, no-cache"}
    if is_known(if_none_match, etag):
        return Response(status_code=304, headers=headers)
    headers["Content-Disposition"] = f"attachment; filename*=utf-8''{quote(name.rsplit('/', 1)[-1], safe='')}"
    media_type = "application/octet-stream"
    if request.method == "HEAD":
        return Response(headers={**headers, "Content-Length": str(file.bytes)}, media_type=media_type)
    try:
        part = part_of(range_, if_range, etag, file.bytes)
    except InvalidInput as error:
        refusal = from_error(error)
        refusal.headers["Content-Range"] = f"bytes */{file.bytes}"
        return refusal
    wanted = part if part is not None else range(file.bytes)
    body = _checked(file, wanted)
    if wanted.start == 0:  # what goes on is the same download
        with unit_of_work() as session:
            models.count_download(session, scope, model_id)
    headers["Content-Length"] = str(len(wanted))
    if part is None:
        return StreamingResponse(body, headers=headers, media_type=media_type)
    headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{file.bytes}"
    return StreamingResponse(body, status_code=206, headers=headers, media_type=media_type)


@router.delete("/{model_id}", status_code=204, responses=documented(404, 410))
def delete_model(model_id: ModelId, scope: Scope) -> None:
    """Delete a model and its files for good."""
    with unit_of_work() as session:
        models.delete(session, scope, model_id)
    erase_now()


def _checked(file: FileEntry, wanted: range) -> Iterator[bytes]:
    """Return the bytes, once it is sure that they are there: an answer that has begun can only break off.

    Raises:
        CorruptBlob: the file is not what was stored. Only a download's beginning is checked for that, not each part.
    """
    try:
        if wanted.start == 0:
            get_blobs().fetch(file.sha256, scope=file.scope)
        body = get_blobs().read(file.sha256, scope=file.scope, start=wanted.start, length=len(wanted))
        return chain([next(body, b"")], body)
    except NotFound as missing:
        raise CorruptBlob(f"the bytes of {file.name} are lost") from missing

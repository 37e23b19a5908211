"""/v1/uploads: tus 1.0 with creation, creation-with-upload, termination, checksum, expiration and concatenation."""

from typing import Any

from fastapi import APIRouter, BackgroundTasks, Request, Response
from starlette.concurrency import run_in_threadpool

from adaptwin_core.domain.concatenation import PARTIAL, part_ids
from adaptwin_core.domain.errors import AdaptwinError, InvalidInput
from adaptwin_core.domain.states import UploadState
from api import tus, tus_body, tus_final
from api.deps import Running, Scope, erase_now, in_transaction
from api.error_status import CHECKSUM_MISMATCH
from api.path_ids import UploadId
from api.problems import Responses, documented
from api.tus_route import TusRoute

_EXAMPLES = {
    "Location": "/v1/uploads/up_01kbd4rd3w8k5x2m9c7v1b4nzf",
    "Tus-Resumable": tus.VERSION,
    "Upload-Checksum": "sha256 uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=",
    "Upload-Concat": "partial",
    "Upload-Expires": "Wed, 02 Dec 2026 09:14:07 GMT",
    "Upload-Length": "137324",
    "Upload-Metadata": "dataset ZHNfMDFrYmQ0cTh6MGYzdjZtMng5dzd0NXIxY2E=,filename ZGF5MS8wMDEud2F2",
    "Upload-Offset": "0",
}


def _headers(**descriptions: str) -> list[dict[str, Any]]:
    """Return OpenAPI entries for request headers; names are written with `_` for `-`, optional ones end in `_`."""
    return [
        {
            "name": name.rstrip("_").replace("_", "-"),
            "in": "header",
            "required": not name.endswith("_"),
            "description": text,
            "schema": {"type": "string"},
            "example": _EXAMPLES[name.rstrip("_").replace("_", "-")],
        }
        for name, text in {"Tus_Resumable": tus.VERSION, **descriptions}.items()
    ]


def _answer(status: int, description: str, *headers: str) -> Responses:
    """Return the OpenAPI entry of an answer that has headers alone."""
    shown = {name: {"schema": {"type": "string"}, "example": _EXAMPLES[name]} for name in headers}
    return {status: {"description": description, "headers": shown}}


_BODY = {"content": {tus.MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}}
_CHECKSUM = f"one of {tus.CHECKSUMS}, a space, the Base64 digest of this body"

router = APIRouter(prefix="/v1/uploads", tags=["uploads"], route_class=TusRoute, responses=documented(412))


@router.options("", status_code=204)
async def describe_uploads(_: Scope, service: Running) -> Response:
    """Tell which version and extensions of tus this server speaks."""
    return Response(status_code=204, headers=tus.server_headers(service.settings.max_upload_bytes))


@router.post(
    "",
    status_code=201,
    response_class=Response,
    responses=_answer(201, "The upload begins.", "Location", "Upload-Offset", "Upload-Expires")
    | documented(400, 404, 409, 410, 413, 415, 429, CHECKSUM_MISMATCH, 507),
    openapi_extra={
        "requestBody": _BODY,
        "parameters": _headers(
            Upload_Length_="bytes of the whole file, or of the part; not for a final upload",
            Upload_Metadata_="`dataset` (its id) and `filename`, each with its value in Base64; a part needs none",
            Upload_Checksum_=_CHECKSUM,
            Upload_Concat_="`partial`, or `final;` and the addresses of the parts with spaces between them",
        ),
    },
)
async def create_upload(request: Request, scope: Scope, service: Running, background: BackgroundTasks) -> Response:
    """Begin an upload to an open dataset. The body may already hold the first bytes of the file.

    With `Upload-Concat: partial` it is a part, which belongs to no dataset. With `Upload-Concat: final;…` the parts
    become one file of the dataset.
    """
    metadata = tus.parse_metadata(request.headers.get("upload-metadata", ""))
    concat = request.headers.get("upload-concat")
    if concat is not None and part_ids(concat):
        return await tus_final.create(service, request, scope, metadata, concat, background)
    length = tus.parse_count(request, "Upload-Length")
    checksum = tus.parse_checksum(request.headers.get("upload-checksum"))
    if tus.has_body(request):
        _require_media_type(request)
    if concat == PARTIAL:
        upload = await in_transaction(service, service.parts.create, scope, length=length)
    else:
        name, dataset_id = tus.file_name_of(metadata), tus.dataset_of(metadata)
        upload = await in_transaction(
            service, service.uploads.create, scope, dataset_id=dataset_id, file_name=name, length=length
        )
    location = tus.location_of(upload)
    if tus.has_body(request) or length == 0:
        try:
            writer = await in_transaction(service, service.writers.begin, scope, upload.id, offset=0, checksum=checksum)
            upload = await tus_body.receive(service, request, scope, writer)
        except AdaptwinError:  # the client will not learn its address
            await in_transaction(service, service.uploads.abort, scope, upload.id)
            await run_in_threadpool(erase_now, service)
            raise
    return Response(status_code=201, headers={"Location": location, **tus.progress_headers(upload)})


@router.head(
    "/{upload_id}",
    status_code=200,
    response_class=Response,
    responses=_answer(200, "How far the upload has come.", "Upload-Length", "Upload-Offset", "Upload-Expires")
    | documented(404, 410, 507),
    openapi_extra={"parameters": _headers()},
)
async def get_upload(
    upload_id: UploadId, request: Request, scope: Scope, service: Running, background: BackgroundTasks
) -> Response:
    """Tell how many bytes are stored. The upload goes on from there.

    A final upload has no `Upload-Offset` until its parts are joined.
    """
    upload = await in_transaction(service, service.uploads.get, scope, upload_id)
    if upload.state == UploadState.OPEN and upload.part_ids:
        tus_final.join_later(request, background, scope, upload_id)
    elif upload.state == UploadState.OPEN and upload.offset == upload.length:  # only its last step is missing
        upload = await in_transaction(service, service.uploads.complete, scope, upload_id)
        await run_in_threadpool(service.uploads.forget_files, upload)
    return Response(headers=tus.headers_of(upload))


@router.patch(
    "/{upload_id}",
    status_code=204,
    responses=documented(400, 403, 404, 408, 409, 410, 413, 415, CHECKSUM_MISMATCH, 507),
    openapi_extra={
        "requestBody": _BODY,
        "parameters": _headers(Upload_Offset="offset of the first byte of this body", Upload_Checksum_=_CHECKSUM),
    },
)
async def append_to_upload(upload_id: UploadId, request: Request, scope: Scope, service: Running) -> Response:
    """Append bytes. They are on disk before the answer. What came of a body that breaks off is kept."""
    _require_media_type(request)
    offset = tus.parse_count(request, "Upload-Offset")
    checksum = tus.parse_checksum(request.headers.get("upload-checksum"))
    writer = await in_transaction(service, service.writers.begin, scope, upload_id, offset=offset, checksum=checksum)
    upload = await tus_body.receive(service, request, scope, writer)
    return Response(status_code=204, headers=tus.progress_headers(upload))


@router.delete(
    "/{upload_id}", status_code=204, responses=documented(404, 409, 410), openapi_extra={"parameters": _headers()}
)
async def delete_upload(upload_id: UploadId, scope: Scope, service: Running) -> Response:
    """Delete an upload and its bytes."""
    await in_transaction(service, service.uploads.abort, scope, upload_id)
    await run_in_threadpool(erase_now, service)
    return Response(status_code=204)


def _require_media_type(request: Request) -> None:
    if request.headers.get("content-type") != tus.MEDIA_TYPE:
        raise InvalidInput(f"send the bytes as Content-Type {tus.MEDIA_TYPE}", code="unsupported_media_type")

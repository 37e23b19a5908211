"""The answer to a request for a stored file: all of it, a part, or 304 if the client has it."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Header, Request, Response
from fastapi.responses import StreamingResponse

from adaptwin_core.domain.errors import CorruptBlob, InvalidInput, NotFound
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.service import models
from adaptwin_core.service.models import FileEntry
from adaptwin_core.store.blobs import BlobStore
from api.deps import service_of
from api.problems import from_error
from api.ranges import etag_of, is_known, part_of

_FILE = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
FILE_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"content": _FILE, "description": "the whole file"},
    206: {"content": _FILE, "description": "the bytes asked for"},
    304: {"description": "the client has these bytes"},
}


@dataclass(frozen=True)
class Conditions:
    """The headers in which a request says which bytes it wants."""

    request: Request
    range_: Annotated[str | None, Header(alias="Range")] = None
    if_range: Annotated[str | None, Header(alias="If-Range")] = None
    if_none_match: Annotated[str | None, Header(alias="If-None-Match")] = None


Wanted = Annotated[Conditions, Depends()]


def file_answer(file: FileEntry, conditions: Conditions, scope: TenantScope, model_id: str) -> Response:
    """Return the answer to GET or HEAD of a file of a model. The start of a download is counted."""
    etag = etag_of(file.blob.sha256)
    headers = {"ETag": etag, "Accept-Ranges": "bytes", "Cache-Control": "private, no-cache"}
    if is_known(conditions.if_none_match, etag):
        return Response(status_code=304, headers=headers)
    headers["Content-Disposition"] = f"attachment; filename*=utf-8''{quote(file.name.rsplit('/', 1)[-1], safe='')}"
    media_type = "application/octet-stream"
    if conditions.request.method == "HEAD":
        return Response(headers={**headers, "Content-Length": str(file.blob.bytes)}, media_type=media_type)
    try:
        part = part_of(conditions.range_, conditions.if_range, etag, file.blob.bytes)
    except InvalidInput as error:
        refusal = from_error(error)
        refusal.headers["Content-Range"] = f"bytes */{file.blob.bytes}"
        return refusal
    wanted = part if part is not None else range(file.blob.bytes)
    service = service_of(conditions.request)
    body = _checked(service.blobs, file, wanted)
    if wanted.start == 0:  # a later part belongs to the same download
        with service.database.transaction() as session:
            models.count_download(session, scope, model_id)
    headers["Content-Length"] = str(len(wanted))
    if part is None:
        return StreamingResponse(body, headers=headers, media_type=media_type)
    headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{file.blob.bytes}"
    return StreamingResponse(body, status_code=206, headers=headers, media_type=media_type)


def _checked(blobs: BlobStore, file: FileEntry, wanted: range) -> Iterator[bytes]:
    """Return the bytes, after a check that they are there: once an answer has begun, it can only break off.

    Raises:
        CorruptBlob: the file is not what was stored. Only a download's beginning is checked for that, not each part.
    """
    try:
        if wanted.start == 0:
            blobs.fetch(file.blob.sha256, scope=file.scope)
        body = blobs.read(file.blob.sha256, scope=file.scope, start=wanted.start, length=len(wanted))
        return chain([next(body, b"")], body)
    except NotFound as missing:
        raise CorruptBlob(f"the bytes of {file.name} are lost: make the model again") from missing

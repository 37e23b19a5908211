"""The answer to a request for a download: all of it, a part, or 304 if the client has it."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Header, Request, Response
from fastapi.responses import StreamingResponse

from adaptwin_core.domain.errors import InvalidInput
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.service import downloads
from adaptwin_core.service.bootstrap import Service
from adaptwin_core.service.downloads import Download, Target
from api.deps import service_of
from api.problems import from_error
from api.ranges import etag_of, is_known, part_of

log = logging.getLogger(__name__)

BYTES, TAR = "application/octet-stream", "application/x-tar"


def _answers(media_type: str) -> dict[int | str, dict[str, Any]]:
    content = {media_type: {"schema": {"type": "string", "format": "binary"}}}
    return {
        200: {"content": content, "description": "the whole file"},
        206: {"content": content, "description": "the bytes asked for"},
        304: {"description": "the client has these bytes"},
    }


FILE_ANSWERS, ARCHIVE_ANSWERS = _answers(BYTES), _answers(TAR)


@dataclass(frozen=True)
class Conditions:
    """The headers in which a request says which bytes it wants."""

    request: Request
    range_: Annotated[str | None, Header(alias="Range")] = None
    if_range: Annotated[str | None, Header(alias="If-Range")] = None
    if_none_match: Annotated[str | None, Header(alias="If-None-Match")] = None


Wanted = Annotated[Conditions, Depends()]


def download_answer(target: Target, scope: TenantScope, conditions: Conditions) -> Response:
    """Return the answer to GET or HEAD of a target. Raises NotFound, Conflict, CorruptBlob."""
    service = service_of(conditions.request)
    with service.database.transaction() as session:
        download = downloads.find(session, scope, target)
    etag = etag_of(download.tag)
    headers = {"ETag": etag, "Accept-Ranges": "bytes", "Cache-Control": "private, no-cache"}
    if is_known(conditions.if_none_match, etag):
        return Response(status_code=304, headers=headers)
    headers["Content-Disposition"] = _attachment(download.name.rsplit("/", 1)[-1])
    media_type = TAR if target.name is None else BYTES
    if conditions.request.method == "HEAD":
        return Response(headers={**headers, "Content-Length": str(download.num_bytes)}, media_type=media_type)
    try:
        part = part_of(conditions.range_, conditions.if_range, etag, download.num_bytes)
    except InvalidInput as error:
        refusal = from_error(error)
        refusal.headers["Content-Range"] = f"bytes */{download.num_bytes}"
        return refusal
    wanted = part if part is not None else range(download.num_bytes)
    body = _begun(download, service, wanted)
    if download.counts and wanted.stop == download.num_bytes:
        body = _counted(body, service, scope, target)
    headers["Content-Length"] = str(len(wanted))
    if part is None:
        return StreamingResponse(body, headers=headers, media_type=media_type)
    headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{download.num_bytes}"
    return StreamingResponse(body, status_code=206, headers=headers, media_type=media_type)


def _attachment(name: str) -> str:
    """Return Content-Disposition. The plain form is the only one that curl reads."""
    quoted = quote(name, safe="")
    return f'attachment; filename="{name}"' if quoted == name else f"attachment; filename*=utf-8''{quoted}"


def _begun(download: Download, service: Service, wanted: range) -> Iterator[bytes]:
    """Return the bytes, after a check that they are there: once an answer has begun, it can only break off."""
    download.check(service.blobs, wanted)
    body = download.read(service.blobs, wanted)
    return chain([next(body, b"")], body)


def _counted(body: Iterator[bytes], service: Service, scope: TenantScope, target: Target) -> Iterator[bytes]:
    """Yield the bytes, and count the download once the last was sent: a broken connection asks for no more."""
    yield from body
    try:
        with service.database.transaction() as session:
            downloads.count(session, scope, target)
    except Exception:
        log.exception("a download of %s was not counted", target.model_id)

"""Final uploads of tus: made at once of parts that are whole, and joined after the answer."""

import asyncio
import logging

from fastapi import BackgroundTasks, Request, Response
from starlette.concurrency import run_in_threadpool

from adaptwin_core.domain.errors import InvalidInput
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.service.bootstrap import Service
from adaptwin_core.store.killpoints import killpoint
from api import tus
from api.deps import in_transaction

log = logging.getLogger(__name__)


class Joins:
    """The joins of this process, one at a time. The others wait without a thread or a connection of the database."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._turn = asyncio.Semaphore(1)
        self._known: set[str] = set()  # ids of uploads that are joined now, or wait for it

    async def join(self, scope: TenantScope, upload_id: str) -> None:
        """Join the parts of an upload, unless that is waited for already. Should it fail, the sweeper does it."""
        if upload_id in self._known:
            return
        self._known.add(upload_id)
        try:
            async with self._turn:
                await run_in_threadpool(_join, self._service, scope, upload_id)
        finally:
            self._known.discard(upload_id)


async def create(
    service: Service,
    request: Request,
    scope: TenantScope,
    metadata: dict[str, str],
    concat: str,
    background: BackgroundTasks,
) -> Response:
    """Answer the request that makes a final upload.

    Raises:
        InvalidInput: it says a length or brings bytes, or the metadata lacks a name.
        Conflict, LimitExceeded, NotFound, ResourceExhausted: as `Parts.join`.
    """
    if "upload-length" in request.headers or "upload-checksum" in request.headers or tus.has_body(request):
        raise InvalidInput("a final upload has the bytes of its parts: send no Upload-Length, checksum or body")
    name, dataset_id = tus.file_name_of(metadata), tus.dataset_of(metadata)
    upload = await in_transaction(
        service, service.parts.join, scope, dataset_id=dataset_id, file_name=name, concat=concat
    )
    join_later(request, background, scope, upload.id)
    return Response(status_code=201, headers={"Location": tus.location_of(upload), **tus.progress_headers(upload)})


def join_later(request: Request, background: BackgroundTasks, scope: TenantScope, upload_id: str) -> None:
    """Join the parts of an upload after this request is answered."""
    joins: Joins = request.app.state.joins
    background.add_task(joins.join, scope, upload_id)


def _join(service: Service, scope: TenantScope, upload_id: str) -> None:
    killpoint("parts_claimed")
    try:
        upload = service.joiner.join(scope, upload_id)
        if upload is not None:
            service.uploads.forget_files(upload)
    except Exception:
        log.exception("the parts of upload %s wait to be joined", upload_id)

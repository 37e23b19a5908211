"""Final uploads of tus: made at once of parts that are whole, and joined after the answer."""

import logging

from fastapi import BackgroundTasks, Request, Response

from adaptwin_core.domain.errors import InvalidInput
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.service.bootstrap import Service
from adaptwin_core.store.killpoints import killpoint
from api import tus
from api.deps import in_transaction

log = logging.getLogger(__name__)


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
    background.add_task(join, service, scope, upload.id)
    return Response(status_code=201, headers={"Location": tus.location_of(upload), **tus.progress_headers(upload)})


def join(service: Service, scope: TenantScope, upload_id: str) -> None:
    """Join the parts of an upload. Should that fail, the next HEAD, the sealing or the sweeper does it."""
    killpoint("parts_claimed")
    try:
        with service.database.transaction() as session:
            upload = service.parts.finish(session, scope, upload_id)
        if upload is not None:
            service.uploads.forget_files(upload)
    except Exception:
        log.exception("the parts of upload %s wait to be joined", upload_id)

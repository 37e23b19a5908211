"""Writes the body of a tus request to disk as it comes."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from adaptwin_core.domain.errors import InvalidInput
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.service.bootstrap import Service
from adaptwin_core.service.upload_writer import Writer
from adaptwin_core.store.killpoints import killpoint
from adaptwin_core.store.tables import Upload
from api.body_stream import Segments, chunks_of
from api.deps import in_transaction


async def receive(service: Service, request: Request, scope: TenantScope, writer: Writer) -> Upload:
    """Stream a body to disk with one segment of memory, and return the upload afterwards.

    What came of a body that breaks off is kept, unless a checksum was to cover it.

    Raises:
        InvalidInput: with code "request_timeout", the body broke off; with "checksum_mismatch", it was not as meant.
        Conflict, LimitExceeded, ResourceExhausted: as `Writers.write`; what was committed before stays.
    """
    declared = request.headers.get("content-length", "")
    writer.room_for(int(declared) if declared.isdecimal() else 0)
    segments = Segments(service, scope, writer)
    try:
        async for chunk in chunks_of(request):
            await segments.add(chunk)
    except (ClientDisconnect, TimeoutError) as cut:
        if writer.checksum is None:
            await segments.flush()
        raise InvalidInput(
            "the body broke off: ask for the offset with HEAD, and go on from there", code="request_timeout"
        ) from cut
    await segments.flush()
    upload = await in_transaction(service, service.writers.settle, scope, writer)
    killpoint("upload_committed")
    await run_in_threadpool(service.uploads.forget_files, upload)
    return upload

"""Writes the body of a tus request to disk as it comes."""

import asyncio
from collections.abc import AsyncIterator

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from adaptwin_core.domain.errors import InvalidInput
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.states import UploadState
from adaptwin_core.service.bootstrap import Service
from adaptwin_core.service.upload_writer import SEGMENT_BYTES, Writer
from adaptwin_core.store.killpoints import killpoint
from adaptwin_core.store.tables import Upload
from api.deps import in_transaction

STALL_S = 60.0  # a body that sends nothing for so long is taken to be over; what came is kept


async def receive(service: Service, request: Request, scope: TenantScope, writer: Writer) -> Upload:
    """Stream a body to disk with one segment of memory, and return the upload afterwards.

    What came of a body that breaks off is kept, unless a checksum was to cover it.

    Raises:
        InvalidInput: with code "request_timeout", the body broke off; with "checksum_mismatch", it was not as meant.
        Conflict, LimitExceeded, ResourceExhausted: as `Writers.write`; what was committed before stays.
    """
    declared = request.headers.get("content-length", "")
    writer.room_for(int(declared) if declared.isdecimal() else 0)
    buffer = bytearray()
    try:
        async for chunk in _stalling(request):
            writer.room_for(len(buffer) + len(chunk))
            if len(buffer) + len(chunk) > SEGMENT_BYTES:
                await in_transaction(service, service.writers.write, scope, writer, buffer)
                buffer = bytearray()
            buffer += chunk
    except (ClientDisconnect, TimeoutError) as cut:
        if buffer and writer.checksum is None:
            await in_transaction(service, service.writers.write, scope, writer, buffer)
        raise InvalidInput(
            "the body broke off: ask for the offset with HEAD, and go on from there", code="request_timeout"
        ) from cut
    if buffer:
        await in_transaction(service, service.writers.write, scope, writer, buffer)
    upload = await in_transaction(service, service.writers.settle, scope, writer)
    killpoint("upload_committed")
    await forget_file(service, upload)
    return upload


async def forget_file(service: Service, upload: Upload) -> None:
    """Remove the temporary file of an upload that is stored as a blob."""
    if upload.state == UploadState.COMPLETE:
        await run_in_threadpool(service.uploads.files.remove, upload.id)


async def _stalling(request: Request) -> AsyncIterator[bytes]:
    """Yield the body's chunks. Raises TimeoutError when it stalls and ClientDisconnect when it is cut."""
    chunks = aiter(request.stream())
    while True:
        async with asyncio.timeout(STALL_S):
            chunk = await anext(chunks, None)
        if chunk is None:
            return
        yield chunk

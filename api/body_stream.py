"""The body of a request as it comes, and the way of its bytes to disk."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from starlette.requests import Request

from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.service.bootstrap import Service
from adaptwin_core.service.upload_writer import SEGMENT_BYTES, Writer
from api.deps import in_transaction

STALL_S = 60.0  # a body that sends nothing for so long is taken to be over


async def chunks_of(request: Request) -> AsyncIterator[bytes]:
    """Yield the body's chunks. Raises TimeoutError when it stalls and ClientDisconnect when it is cut."""
    chunks = aiter(request.stream())
    while True:
        async with asyncio.timeout(STALL_S):
            chunk = await anext(chunks, None)
        if chunk is None:
            return
        yield chunk


@dataclass
class Segments:
    """The bytes that one request writes to an upload. It keeps one segment of them in memory at most."""

    service: Service
    scope: TenantScope
    writer: Writer
    _buffer: bytearray = field(default_factory=bytearray)

    async def add(self, chunk: bytes) -> None:
        """Take bytes, and write those before them once they are a segment.

        Raises:
            LimitExceeded: they pass a limit of the upload.
            Conflict, ResourceExhausted: as `Writers.write`.
        """
        self.writer.room_for(len(self._buffer) + len(chunk))
        if len(self._buffer) + len(chunk) > SEGMENT_BYTES:
            await self.flush()
        self._buffer += chunk

    async def flush(self) -> None:
        """Write what is in memory. Raises Conflict and ResourceExhausted, as `Writers.write`."""
        service, scope = self.service, self.scope
        if self._buffer:
            await in_transaction(service, service.writers.write, scope, self.writer, self._buffer)
            self._buffer = bytearray()

"""A job's events as they happen, over as many connections as it takes."""

from collections.abc import AsyncGenerator, AsyncIterator

import anyio
import httpx

from adaptwin_core.client.answers import understood
from adaptwin_core.client.connection import Connection
from adaptwin_core.client.waiting import BREAKS
from adaptwin_core.domain.states import TERMINAL_JOB_STATES
from adaptwin_core.rest.base import Page
from adaptwin_core.rest.jobs import EventOut, JobOut

RECONNECT_S = 1.0


async def follow(connection: Connection, job_id: str, after: int = 0) -> AsyncGenerator[EventOut, None]:
    """Yield the events after the one with the number `after`, until the job has ended."""
    path = f"/v1/jobs/{job_id}/events"
    tries = connection.tries()
    while True:
        headers = {"Accept": "text/event-stream", "Last-Event-ID": str(after)}
        try:
            async with connection.stream("GET", path, headers=headers) as answer:
                async for data in messages(answer):
                    tries.moved()
                    if data:
                        event = understood(data, EventOut)
                        after = event.id
                        yield event
        except BREAKS as fault:
            await tries.wait(fault)
            continue
        # A proxy may end a stream early. The state is asked first: the last event was written with it.
        job = await connection.get(f"/v1/jobs/{job_id}", JobOut)
        for event in await connection.all(path, Page[EventOut], {"after": after}):
            after = event.id
            yield event
        if job.state in TERMINAL_JOB_STATES:
            return
        tries.moved()
        await anyio.sleep(RECONNECT_S)


async def messages(answer: httpx.Response) -> AsyncIterator[bytes]:
    """Yield the data of each server-sent event that came whole, and no bytes for a sign of life.

    Lines end as the format says, and not as in `str.splitlines`: data may hold U+2028.
    """
    data: list[bytes] = []
    async for line in _lines(answer):
        if not line:
            if data:
                yield b"\n".join(data)
            data = []
        elif line.startswith(b":"):
            yield b""
        elif line.startswith(b"data:"):
            data.append(line.removeprefix(b"data:").removeprefix(b" "))


async def _lines(answer: httpx.Response) -> AsyncIterator[bytes]:
    """Yield the lines that came whole. The service, and every server known to us, ends them with LF or CR LF."""
    waiting = b""
    async for block in answer.aiter_bytes():
        *lines, waiting = (waiting + block).split(b"\n")
        for line in lines:
            yield line.removesuffix(b"\r")

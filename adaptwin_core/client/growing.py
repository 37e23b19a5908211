"""One file on its way to its place: it grows in a `.part` beside it, over as many connections as that takes."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BufferedWriter
from pathlib import Path
from typing import Literal

import httpx
from anyio import to_thread

from adaptwin_core.client.connection import Connection
from adaptwin_core.client.waiting import BREAKS

TELLING_CHARS = 12  # of the tag, which a `.part` carries: it is never gone on with for another version of the file
UNCHANGED = {"Accept-Encoding": "identity"}  # else a proxy may compress, and its ranges are of other bytes


@dataclass(frozen=True)
class Source:
    """Bytes that the service hands out at a path. `tag` is their strong ETag, without quotes."""

    path: str
    name: str
    tag: str
    num_bytes: int


async def grow(connection: Connection, source: Source, target: Path, at: Callable[[int], None]) -> Path:
    """Fetch what the `.part` of a target lacks, and return it once it has all bytes. It is the caller's to check.

    Raises:
        ServiceError, Unreachable: fetching failed; what came is kept, and the next call goes on from there.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.{source.tag[:TELLING_CHARS]}.part")
    tries = connection.tries()
    while _size(part) < source.num_bytes or not part.exists():
        before = _size(part)
        try:
            await _append(connection, source, part, at)
        except BREAKS as fault:
            if _size(part) > before:
                tries.moved()
            await tries.wait(fault)
    return part


async def _append(connection: Connection, source: Source, part: Path, at: Callable[[int], None]) -> None:
    """Ask for the bytes that are missing, and write those that come."""
    start = _size(part)
    headers = UNCHANGED
    if start:
        headers = headers | {"Range": f"bytes={start}-", "If-Range": f'"{source.tag}"'}
    async with connection.stream("GET", source.path, headers=headers) as answer:
        if not _goes_on_at(answer, start):
            start = 0
        with await to_thread.run_sync(_opened, part, "ab" if start else "wb") as writing:
            async for block in answer.aiter_bytes():
                await to_thread.run_sync(writing.write, block)
                start += len(block)
                at(start)
                if start > source.num_bytes:
                    return  # the check of the whole file tells
    if start < source.num_bytes:  # a proxy that knows no better ended it
        raise httpx.RemoteProtocolError(f"{source.name} ended after {start} of {source.num_bytes} bytes")


def _opened(path: Path, mode: Literal["ab", "wb"]) -> BufferedWriter:
    return path.open(mode)


def _goes_on_at(answer: httpx.Response, start: int) -> bool:
    """Tell whether the bytes that come are those from `start` on, rather than the whole file."""
    is_part = answer.status_code == httpx.codes.PARTIAL_CONTENT
    return is_part and answer.headers.get("content-range", "").startswith(f"bytes {start}-")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0

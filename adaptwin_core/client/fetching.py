"""Files on their way into a folder. Each goes on from its `.part` after a break, and is checked at its end."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BufferedWriter
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import httpx
from anyio import to_thread

from adaptwin_core.client.connection import Connection
from adaptwin_core.client.errors import DamagedDownload
from adaptwin_core.client.file_names import path_in
from adaptwin_core.client.progress import Meter, OnProgress
from adaptwin_core.client.waiting import BREAKS
from adaptwin_core.domain.digest import digest_file
from adaptwin_core.rest.models import FileRef

TELLING_CHARS = 12  # of the SHA-256, which a `.part` carries: it is never gone on with for another version of the file


@dataclass(frozen=True)
class Fetcher:
    """Fetches files that lie side by side on the service, under `base`."""

    connection: Connection
    base: str

    async def fetch(self, files: Mapping[str, FileRef], folder: Path, on_progress: OnProgress | None) -> None:
        """Fetch what the folder lacks of these files. Others that lie in it are left alone.

        Raises:
            DamagedDownload: bytes came that are not those of the file, or a name leads out of the folder.
            ServiceError, Unreachable: fetching failed; what came is kept, and the next call goes on from there.
        """
        targets = {name: path_in(folder, name) for name in files}
        meter = Meter({name: file.bytes for name, file in files.items()}, on_progress)
        for name, file in files.items():
            if not await to_thread.run_sync(_is_there, targets[name], file):
                await self._fetch(name, file, targets[name], meter)
            meter.at(name, file.bytes)

    async def _fetch(self, name: str, file: FileRef, target: Path, meter: Meter) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f"{target.name}.{file.sha256[:TELLING_CHARS]}.part")

        def at(num_bytes: int) -> None:
            meter.at(name, num_bytes)

        tries = self.connection.tries()
        while _size(part) < file.bytes or not part.exists():
            before = _size(part)
            try:
                await self._append(name, file, part, at)
            except BREAKS as fault:
                if _size(part) > before:
                    tries.moved()
                await tries.wait(fault)
        found = await to_thread.run_sync(digest_file, part)
        if found != file.sha256:
            part.unlink()
            raise DamagedDownload(
                f"{name} came with the SHA-256 {found} instead of {file.sha256}. It was removed: download it again"
            )
        await to_thread.run_sync(os.replace, part, target)

    async def _append(self, name: str, file: FileRef, part: Path, at: Callable[[int], None]) -> None:
        """Ask for the bytes that are missing, and write those that come."""
        start = _size(part)
        headers = {"Accept-Encoding": "identity"}
        if start:
            headers |= {"Range": f"bytes={start}-", "If-Range": f'"{file.sha256}"'}
        async with self.connection.stream("GET", f"{self.base}/{quote(name)}", headers=headers) as answer:
            if not _goes_on_at(answer, start):
                start = 0
            with await to_thread.run_sync(_opened, part, "ab" if start else "wb") as writing:
                async for block in answer.aiter_bytes():
                    await to_thread.run_sync(writing.write, block)
                    start += len(block)
                    at(start)
                    if start > file.bytes:
                        return  # the check of the whole file tells
        if start < file.bytes:  # a proxy that knows no better ended it
            raise httpx.RemoteProtocolError(f"{name} ended after {start} of {file.bytes} bytes")


def _opened(path: Path, mode: Literal["ab", "wb"]) -> BufferedWriter:
    return path.open(mode)


def _goes_on_at(answer: httpx.Response, start: int) -> bool:
    """Tell whether the bytes that come are those from `start` on, rather than the whole file."""
    is_part = answer.status_code == httpx.codes.PARTIAL_CONTENT
    return is_part and answer.headers.get("content-range", "").startswith(f"bytes {start}-")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _is_there(target: Path, file: FileRef) -> bool:
    return target.is_file() and target.stat().st_size == file.bytes and digest_file(target) == file.sha256

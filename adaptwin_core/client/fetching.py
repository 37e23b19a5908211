"""Files on their way into a folder. Each goes on from its `.part` after a break, and is checked at its end."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from anyio import to_thread

from adaptwin_core.client.connection import Connection
from adaptwin_core.client.errors import DamagedDownload
from adaptwin_core.client.file_names import path_in
from adaptwin_core.client.growing import Source, grow
from adaptwin_core.client.progress import Meter, OnProgress
from adaptwin_core.domain.digest import digest_file
from adaptwin_core.rest.models import FileRef


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
        def at(num_bytes: int) -> None:
            meter.at(name, num_bytes)

        source = Source(f"{self.base}/{quote(name)}", name, file.sha256, file.bytes)
        part = await grow(self.connection, source, target, at)
        found = await to_thread.run_sync(digest_file, part)
        if found != file.sha256:
            part.unlink()
            raise DamagedDownload(
                f"{name} came with the SHA-256 {found} instead of {file.sha256}. It was removed: download it again"
            )
        await to_thread.run_sync(os.replace, part, target)


def _is_there(target: Path, file: FileRef) -> bool:
    return target.is_file() and target.stat().st_size == file.bytes and digest_file(target) == file.sha256

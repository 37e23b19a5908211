"""All files of a model or an export as one tar archive, checked file by file once it is there."""

import hashlib
import io
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path

from anyio import to_thread

from adaptwin_core.client.connection import Connection
from adaptwin_core.client.errors import DamagedDownload, NotUnderstood
from adaptwin_core.client.growing import UNCHANGED, Source, grow
from adaptwin_core.client.progress import Meter, OnProgress
from adaptwin_core.rest.models import FileRef


async def fetch_archive(
    connection: Connection, path: str, files: Mapping[str, FileRef], target: Path, on_progress: OnProgress | None
) -> None:
    """Fetch the archive at a path, unless the target is one of these files already.

    Raises:
        DamagedDownload: it came, and does not hold these files.
        ServiceError, Unreachable: fetching failed; what came is kept, and the next call goes on from there.
    """
    source = await _source(connection, path, target.name)
    meter = Meter({source.name: source.num_bytes}, on_progress)

    def at(num_bytes: int) -> None:
        meter.at(source.name, num_bytes)

    if not await to_thread.run_sync(_holds, target, files):
        part = await grow(connection, source, target, at)
        if not await to_thread.run_sync(_holds, part, files):
            part.unlink()
            raise DamagedDownload(f"the archive {target.name} came damaged. It was removed: download it again")
        await to_thread.run_sync(os.replace, part, target)
    at(source.num_bytes)


async def _source(connection: Connection, path: str, name: str) -> Source:
    answer = await connection.ask("HEAD", path, headers=UNCHANGED)
    etag, length = answer.headers.get("etag", ""), answer.headers.get("content-length", "")
    if not (etag.strip('"').isalnum() and length.isdecimal()):
        raise NotUnderstood("the answer does not tell the archive's size: check that the address is AdaPTwin's")
    return Source(path, name, etag.strip('"'), int(length))


def _holds(path: Path, files: Mapping[str, FileRef]) -> bool:
    """Tell whether there is an archive with exactly these files in one folder."""
    if not path.is_file():
        return False
    try:
        with tarfile.open(path, "r:") as archive:
            found = {member.name.partition("/")[2]: _digest(archive, member) for member in archive}
    except (tarfile.TarError, EOFError):
        return False
    return found == {name: file.sha256 for name, file in files.items()}


def _digest(archive: tarfile.TarFile, member: tarfile.TarInfo) -> str | None:
    content = archive.extractfile(member) if member.isreg() else None
    if not isinstance(content, io.BufferedReader):
        return None
    with content:
        return hashlib.file_digest(content, "sha256").hexdigest()

"""The bytes of unfinished uploads. Callers hold the row of an upload while they write its file."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from adaptwin_core.domain.errors import Conflict, ResourceExhausted
from adaptwin_core.store.disk import sync_folder
from adaptwin_core.store.killpoints import killpoint

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def disk_errors() -> Iterator[None]:
    """Raise ResourceExhausted where the disk fails: with code `disk_full`, or `disk_unavailable`."""
    try:
        yield
    except OSError as failure:
        full = failure.errno in _NO_ROOM
        raise ResourceExhausted(
            "the server's disk is full: the bytes before this request are safe, try again later"
            if full
            else "the server's disk cannot be written: the bytes before this request are safe, try again later",
            code="disk_full" if full else "disk_unavailable",
        ) from failure


@dataclass(frozen=True)
class UploadFiles:
    """One file for each upload, named by its id, in `folder`."""

    folder: Path

    def path_of(self, upload_id: str) -> Path:
        """Return where an upload's bytes are, or will be."""
        return self.folder / upload_id

    def size(self, upload_id: str) -> int:
        """Return how many bytes are there, 0 when there is no file."""
        try:
            return self.path_of(upload_id).stat().st_size
        except FileNotFoundError:
            return 0

    def write(self, upload_id: str, at: int, data: bytes | bytearray) -> None:
        """Put `data` at offset `at`, cut what may lie behind it, and return once it would survive a power cut.

        Raises:
            Conflict: fewer than `at` bytes are there.
            ResourceExhausted: the disk is full, or cannot be written.
        """
        path = self.path_of(upload_id)
        is_new = not path.exists()
        with disk_errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                if os.fstat(descriptor).st_size < at:
                    raise Conflict("bytes of this upload were lost: ask for its offset again", code="offset_mismatch")
                os.truncate(descriptor, at)
                view = memoryview(data)
                while view:
                    view = view[os.pwrite(descriptor, view, at + len(data) - len(view)) :]
                killpoint("upload_written")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            if is_new:
                sync_folder(path.parent)
            killpoint("upload_synced")

    def truncate(self, upload_id: str, length: int) -> None:
        """Drop what lies past `length`: bytes that nobody was told are safe."""
        if self.size(upload_id) > length:
            os.truncate(self.path_of(upload_id), length)

    def remove(self, upload_id: str) -> None:
        """Remove an upload's file; one that is not there is no error."""
        self.path_of(upload_id).unlink(missing_ok=True)

    def upload_ids(self) -> list[str]:
        """Return the ids of all files in flight."""
        return sorted(entry.name for entry in self.folder.iterdir()) if self.folder.exists() else []

"""Blobs in a folder of this machine."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from adaptwin_core.domain.digest import CHUNK_BYTES, digest_file
from adaptwin_core.domain.errors import CorruptBlob, NotFound
from adaptwin_core.store.blobs import BlobRef, blob_name
from adaptwin_core.store.disk import sync_folder
from adaptwin_core.store.joined_files import open_joined


class LocalBlobs:
    """Blobs in a folder: written beside their place, synced, then renamed, so a name never shows half a file."""

    def __init__(self, root: Path) -> None:
        self.root = root
        # Files whose bytes this process has compared with their name, and (inode, size, mtime) at that moment.
        self._checked: dict[Path, tuple[int, ...]] = {}

    def put(self, *paths: Path, scope: str) -> BlobRef:
        """Store a copy of a file, or of several as one, hashed while it is copied."""
        folder = self.root / scope
        folder.mkdir(parents=True, exist_ok=True)
        sha, num_bytes = hashlib.sha256(), 0
        descriptor, tmp_name = tempfile.mkstemp(dir=folder, prefix="tmp-")
        tmp = Path(tmp_name)
        try:
            with os.fdopen(descriptor, "wb") as out, open_joined(paths) as source:
                while chunk := source.read(CHUNK_BYTES):
                    sha.update(chunk)
                    num_bytes += len(chunk)
                    out.write(chunk)
                out.flush()
                os.fsync(out.fileno())
            ref = BlobRef(sha.hexdigest(), num_bytes)
            self._publish(tmp, self._path(ref.sha256, scope))
        finally:
            tmp.unlink(missing_ok=True)
        return ref

    def fetch(self, sha256: str, *, scope: str) -> Path:
        """Return the blob's own path. Its bytes are compared with their SHA-256 first."""
        path = self._existing(sha256, scope)
        status = path.stat()
        seen = (status.st_ino, status.st_size, status.st_mtime_ns)
        if self._checked.get(path) != seen:
            if digest_file(path) != sha256:
                raise CorruptBlob(f"stored file {sha256[:12]} does not match its SHA-256")
            self._checked[path] = seen
        return path

    def check(self, sha256: str, *, scope: str) -> None:
        """Compare the bytes with their SHA-256, once in this process. Raises NotFound, CorruptBlob."""
        self.fetch(sha256, scope=scope)

    def read(self, sha256: str, *, scope: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Yield bytes from `start` on, `length` of them or all."""
        with self._existing(sha256, scope).open("rb") as file:
            file.seek(start)
            left = length
            while left is None or left > 0:
                chunk = file.read(CHUNK_BYTES if left is None else min(CHUNK_BYTES, left))
                if not chunk:
                    return
                if left is not None:
                    left -= len(chunk)
                yield chunk

    def exists(self, sha256: str, *, scope: str) -> bool:
        return self._path(sha256, scope).exists()

    def delete(self, sha256: str, *, scope: str) -> None:
        self._path(sha256, scope).unlink(missing_ok=True)

    def _path(self, sha256: str, scope: str) -> Path:
        return self.root / blob_name(sha256, scope)

    def _existing(self, sha256: str, scope: str) -> Path:
        path = self._path(sha256, scope)
        if not path.is_file():
            raise NotFound("no such file")
        return path

    def _publish(self, tmp: Path, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        tmp.chmod(0o444)  # readers get this very file, by link
        tmp.replace(path)
        sync_folder(path.parent)

"""Files named by what is in them, and by whose they are: no tenant can learn what others hold."""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from adaptwin_core.domain.digest import CHUNK_BYTES, digest_file
from adaptwin_core.domain.errors import CorruptBlob, NotFound
from adaptwin_core.store.settings import get_settings

_SHA256 = re.compile(r"[0-9a-f]{64}")
_SCOPE = re.compile(r"[0-9a-z_]+")


@dataclass(frozen=True)
class BlobRef:
    sha256: str
    bytes: int


class BlobStore(Protocol):
    """Content-addressed files. Every method takes the scope whose files it may touch."""

    def put(self, path: Path, *, scope: str) -> BlobRef:
        """Store a copy of a file, durable when this returns; the file itself is left alone."""
        ...

    def fetch(self, sha256: str, *, scope: str) -> Path:
        """Return a local path to read, never to write. Raises NotFound, CorruptBlob."""
        ...

    def read(self, sha256: str, *, scope: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Yield bytes from `start` on. Raises NotFound."""
        ...

    def exists(self, sha256: str, *, scope: str) -> bool: ...

    def delete(self, sha256: str, *, scope: str) -> None:
        """Remove a blob; one that is not there is no error."""
        ...


@lru_cache
def get_blobs() -> BlobStore:
    """Return the store that the settings name: a bucket, or a folder."""
    settings = get_settings()
    if settings.s3_bucket is None:
        return LocalBlobs(settings.data_dir / "blobs")
    from adaptwin_core.store.blobs_s3 import S3Blobs

    return S3Blobs(settings.s3_bucket, settings.s3_endpoint_url, LocalBlobs(settings.data_dir / "blob-cache"))


def blob_name(sha256: str, scope: str) -> str:
    """Return `scope/ab/abcdef…`. Raises NotFound for anything that could not be a blob's name."""
    if not _SHA256.fullmatch(sha256) or not _SCOPE.fullmatch(scope):
        raise NotFound("no such file")
    return f"{scope}/{sha256[:2]}/{sha256}"


class LocalBlobs:
    """Blobs in a folder: written beside their place, synced, then renamed, so a name never shows half a file."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._checked: dict[
            Path, tuple[int, ...]
        ] = {}  # files whose bytes this process has compared, as they were then

    def put(self, path: Path, *, scope: str) -> BlobRef:
        """Store a copy of a file, hashed while it is copied."""
        folder = self.root / scope
        folder.mkdir(parents=True, exist_ok=True)
        sha, num_bytes = hashlib.sha256(), 0
        descriptor, tmp_name = tempfile.mkstemp(dir=folder, prefix="tmp-")
        tmp = Path(tmp_name)
        try:
            with os.fdopen(descriptor, "wb") as out, path.open("rb") as source:
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
        """Return the blob's own path. Its bytes are checked: disks do rot, and half a model is worse than none."""
        path = self._existing(sha256, scope)
        status = path.stat()
        seen = (status.st_ino, status.st_size, status.st_mtime_ns)
        if self._checked.get(path) != seen:
            if digest_file(path) != sha256:
                raise CorruptBlob(f"stored file {sha256[:12]} does not match its SHA-256")
            self._checked[path] = seen
        return path

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


def sync_folder(folder: Path) -> None:
    """Make a rename inside `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def link_or_copy(source: Path, target: Path) -> None:
    """Show `source` at `target` without copying where the disk allows it."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)

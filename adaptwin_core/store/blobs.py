"""What every store of files promises. A file is named by its content, and kept apart for each tenant."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from adaptwin_core.domain.errors import NotFound

_SHA256 = re.compile(r"[0-9a-f]{64}")
_SCOPE = re.compile(r"[0-9a-z_]+")


@dataclass(frozen=True)
class BlobRef:
    """A stored file: the SHA-256 of its bytes, and how many they are."""

    sha256: str
    bytes: int


Files = dict[str, BlobRef]  # by the name that their owner sees


def as_json(files: Files) -> dict[str, dict[str, Any]]:
    """Return `{name: {"sha256", "bytes"}}`, as the database, manifests and the API have it."""
    return {name: asdict(ref) for name, ref in files.items()}


def from_json(files: Mapping[str, Mapping[str, Any]]) -> Files:
    """Read what `as_json` wrote."""
    return {name: BlobRef(ref["sha256"], ref["bytes"]) for name, ref in files.items()}


class BlobStore(Protocol):
    """Content-addressed files. Every method takes the scope whose files it may touch."""

    def put(self, *paths: Path, scope: str) -> BlobRef:
        """Store a copy of a file, or of several as one, durable when this returns; the files are left alone."""
        ...

    def fetch(self, sha256: str, *, scope: str) -> Path:
        """Return a local path to read, never to write. Raises NotFound, CorruptBlob."""
        ...

    def check(self, sha256: str, *, scope: str) -> None:
        """Check that a file can be read, without a copy of it. Raises NotFound, CorruptBlob."""
        ...

    def read(self, sha256: str, *, scope: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Yield bytes from `start` on. Raises NotFound, CorruptBlob."""
        ...

    def exists(self, sha256: str, *, scope: str) -> bool: ...

    def delete(self, sha256: str, *, scope: str) -> None:
        """Remove a blob; one that is not there is no error."""
        ...


def blob_name(sha256: str, scope: str) -> str:
    """Return `scope/ab/abcdef…`. Raises NotFound for anything that could not be a blob's name."""
    if not _SHA256.fullmatch(sha256) or not _SCOPE.fullmatch(scope):
        raise NotFound("no such file")
    return f"{scope}/{sha256[:2]}/{sha256}"

"""Reads a tar from start to end, in flat memory.

The standard library's `TarInfo` parses header blocks. `TarFile` is not used, as it reads extended headers and sparse
maps of any size into memory, keeps every member, and seeks backwards in a packed stream.
"""

import gzip
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

_BLOCK_BYTES = tarfile.BLOCKSIZE
_MAX_HEADER_BYTES = 1 << 20  # of an extended header; a path takes a few hundred bytes
_SKIP_BYTES = 1 << 16
_MAX_PADDING_BYTES = 1 << 20  # of zeros after the end; a record of GNU tar takes 10 KiB
_FILE_TYPES = frozenset({tarfile.REGTYPE, tarfile.AREGTYPE})
_EXTENDED_TYPES = frozenset({tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME})
_PASSED_TYPES = frozenset({tarfile.XGLTYPE, tarfile.GNUTYPE_LONGLINK, tarfile.SOLARIS_XHDTYPE})


class BrokenTarError(Exception):
    """The bytes are not a tar that can be read on."""


class _Stream(Protocol):
    def read(self, num_bytes: int, /) -> bytes: ...


class TarEntry:
    """One entry, and its bytes while it is the current one."""

    def __init__(self, stream: _Stream, name: str, size_bytes: int, *, is_file: bool) -> None:
        self.name = name
        self.size_bytes = size_bytes
        self.is_file = is_file
        self._stream = stream
        self._left_bytes = size_bytes

    def read(self, num_bytes: int, /) -> bytes:
        data = self._stream.read(min(num_bytes, self._left_bytes))
        if not data and self._left_bytes:
            raise BrokenTarError("it ends in the middle of a file")
        self._left_bytes -= len(data)
        return data

    def skip(self) -> None:
        """Skip the bytes that were not read, and the padding."""
        while self.read(_SKIP_BYTES):
            pass
        self._stream.read(-self.size_bytes % _BLOCK_BYTES)


def tar_entries(path: Path, *, packed: bool) -> Iterator[TarEntry]:
    """Yield every entry but folders.

    Args:
        path: a tar, or with `packed` a gzip of one.
    Raises:
        BrokenTarError: or what gzip raises, where the bytes cannot be read on.
    """
    with gzip.open(path) if packed else path.open("rb") as stream:
        extended: dict[str, str] = {}
        while header := stream.read(_BLOCK_BYTES):
            try:
                info = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
            except tarfile.EOFHeaderError:  # type: ignore[attr-defined]  # public, but not in the stubs
                _check_end(stream)
                return
            except tarfile.HeaderError as error:
                raise BrokenTarError("it holds no tar") from error
            if info.type == tarfile.GNUTYPE_SPARSE or info.size < 0:
                raise BrokenTarError("it holds sparse files, which are not read")
            size_bytes = _number(extended.get("size"), info.size)
            entry = TarEntry(stream, extended.get("path", info.name), size_bytes, is_file=info.type in _FILE_TYPES)
            if info.type in _EXTENDED_TYPES:
                extended |= _extended(entry, info)
            elif info.type not in _PASSED_TYPES:
                extended = {}
                if not info.isdir():
                    yield entry
            entry.skip()


def _check_end(stream: _Stream) -> None:
    """Read on to the end of the stream, so that gzip checks its checksum and zeros inside a file are no end."""
    padding_bytes = 0
    while data := stream.read(_SKIP_BYTES):
        padding_bytes += len(data)
        if any(data) or padding_bytes > _MAX_PADDING_BYTES:
            raise BrokenTarError("it goes on after its end")


def _extended(entry: TarEntry, info: tarfile.TarInfo) -> dict[str, str]:
    """Return the name and the size that an extended header gives for the entry after it."""
    if info.size > _MAX_HEADER_BYTES:
        raise BrokenTarError("an extended header is too large")
    data = b"".join(iter(lambda: entry.read(_SKIP_BYTES), b""))
    if info.type == tarfile.GNUTYPE_LONGNAME:
        return {"path": data.rstrip(b"\0").decode("utf-8", "surrogateescape")}
    found = {}
    while data:
        length_text, _, rest = data.partition(b" ")
        length = _number(length_text.decode("ascii", "replace"), 0)
        if not len(length_text) < length <= len(data):
            raise BrokenTarError("an extended header is malformed")
        key, _, value = rest[: length - len(length_text) - 2].partition(b"=")
        found[key.decode("utf-8", "replace")] = value.decode("utf-8", "surrogateescape")
        data = data[length:]
    if any(key.startswith("GNU.sparse.") for key in found):
        raise BrokenTarError("it holds sparse files, which are not read")
    return found


def _number(text: str | None, otherwise: int) -> int:
    if text is None:
        return otherwise
    if not text.isdecimal() or len(text) > 18:
        raise BrokenTarError("a number in a header is malformed")
    return int(text)

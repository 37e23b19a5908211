"""Reads one zip, tar or tar.gz as a stream of members. Member names are labels; nothing is written under them."""

import io
import logging
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.speech.files.name_encoding import decoded
from adaptwin_core.speech.files.sources import label
from adaptwin_core.speech.files.tar_stream import BrokenTarError, tar_entries
from adaptwin_core.speech.files.zip_names import zip_names
from adaptwin_core.speech.limits import MIB
from adaptwin_core.speech.sound.sniff import Archive

log = logging.getLogger(__name__)

_MAX_READ_BYTES = 64 * MIB  # zipfile reads a central directory in one go: 64 MiB is half a million members
_MAX_RATIO = 50  # PyPI's rule: a member is refused that unpacks to more than this times its packed size ...
_RATIO_FROM_BYTES = 64 * MIB  # ... but only if it is larger than this
_DOS_FOLDER = 0x10
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    struct.error,
    NotImplementedError,
)


class _Readable(Protocol):
    def read(self, num_bytes: int, /) -> bytes: ...


class MemberFile:
    """The bytes of one member from start to end. A short read is the last one."""

    def __init__(self, file: _Readable) -> None:
        self._file = file

    def read(self, num_bytes: int) -> bytes:
        """Return the next bytes.

        Raises:
            InvalidAudio: archive_damaged.
        """
        with _damage_told():
            return self._file.read(num_bytes)


@dataclass(frozen=True)
class Member:
    """One entry of an archive."""

    name: str  # a label
    size_bytes: int  # unpacked; no more than this can be read
    refusal: InvalidAudio | None  # why it may not be read
    _opener: Callable[[], _Readable]

    def open(self) -> MemberFile:
        """Open the entry, once, while it is the current one.

        Raises:
            InvalidAudio: archive_damaged.
        """
        with _damage_told():
            return MemberFile(self._opener())


def members(path: Path, form: Archive) -> Iterator[Member]:
    """Yield the entries of an archive in its own order; folders are passed over.

    Raises:
        InvalidAudio: archive_damaged. Members already yielded were read whole, but may hold the damage.
    """
    with _damage_told():
        yield from _zip_members(path) if form == "zip" else _tar_members(path, form)


@contextmanager
def _damage_told() -> Iterator[None]:
    try:
        yield
    except BrokenTarError as error:
        raise InvalidAudio(f"the archive is damaged: {error}; pack it again", code="archive_damaged") from error
    except _BROKEN as error:
        log.info("an archive cannot be read on: %r", error)  # the library's message is for developers
        raise InvalidAudio("the archive is damaged or cut short; pack it again", code="archive_damaged") from error


def _tar_members(path: Path, form: Archive) -> Iterator[Member]:
    for entry in tar_entries(path, packed=form == "tar.gz"):
        refusal = None if entry.is_file else _not_a_file()
        [name] = decoded([entry.name.encode("utf-8", "surrogateescape")])
        yield Member(label(name), entry.size_bytes, refusal, lambda entry=entry: entry)  # type: ignore[misc]


class _CappedReads(io.FileIO):
    """A file that refuses single reads larger than an honest archive needs."""

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = os.fstat(self.fileno()).st_size - self.tell() if size is None or size < 0 else size
        if wanted > _MAX_READ_BYTES:
            raise InvalidAudio("the archive is damaged: its directory is too large", code="archive_damaged")
        return super().read(wanted) or b""


def _zip_members(path: Path) -> Iterator[Member]:
    with _CappedReads(path) as file, zipfile.ZipFile(file) as archive:
        for info, name in zip(archive.infolist(), zip_names(archive), strict=True):
            if _is_folder(info, name):
                continue
            refusal = _zip_refusal(info)
            yield Member(label(name), info.file_size, refusal, lambda info=info: archive.open(info))  # type: ignore[misc]


def _is_folder(info: zipfile.ZipInfo, name: str) -> bool:
    """Tell whether an entry is a folder. Some Windows tools end its name with a backslash, or set attributes only."""
    is_marked = bool(info.external_attr & _DOS_FOLDER) or stat.S_ISDIR(info.external_attr >> 16)
    return name.endswith(("/", "\\")) or (is_marked and info.file_size == 0)


def _zip_refusal(info: zipfile.ZipInfo) -> InvalidAudio | None:
    if stat.S_IFMT(info.external_attr >> 16) not in {0, stat.S_IFREG}:
        return _not_a_file()
    if info.flag_bits & 1:
        return InvalidAudio("it is encrypted; pack it without a password", code="encrypted")
    if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        return InvalidAudio("it is packed in a rare way; use plain zip (stored or deflated)", code="archive_form")
    if info.file_size > _RATIO_FROM_BYTES and info.file_size > _MAX_RATIO * info.compress_size:
        return InvalidAudio("it unpacks to far more than its size; send the file itself", code="bomb")
    return None


def _not_a_file() -> InvalidAudio:
    return InvalidAudio("it is a link or a device, not a plain file; pack the file itself", code="not_a_file")

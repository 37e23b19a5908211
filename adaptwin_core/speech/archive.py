"""Reads one tar, tar.gz or zip as a stream of members. Member names are labels; nothing is written under them."""

import io
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.speech.limits import MIB
from adaptwin_core.speech.sniff import Archive
from adaptwin_core.speech.sources import label

_MAX_HEADER_BYTES = 1 * MIB  # of a tar member's extended header; a path takes a few hundred bytes
_MAX_READ_BYTES = 64 * MIB  # zipfile reads a central directory in one go: 64 MiB is half a million members
_MAX_RATIO = 50  # PyPI's rule: a member may be bigger than this times its packed size ...
_RATIO_FROM_BYTES = 64 * MIB  # ... only up to here
_BROKEN = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    struct.error,
    NotImplementedError,
    RuntimeError,
)


@dataclass(frozen=True)
class Member:
    """One file inside an archive. Its bytes can be read while it is the current one."""

    name: str  # a label
    size_bytes: int  # unpacked, as the archive says; no more than this can be read
    refusal: InvalidAudio | None  # why it may not be read
    opener: Callable[[], IO[bytes] | None]

    @contextmanager
    def open(self) -> Iterator["MemberFile"]:
        """Open the member for reading, once.

        Raises:
            InvalidAudio: archive_damaged, here or while reading.
        """
        with _damage_told():
            file = self.opener()
        if file is None:
            raise InvalidAudio("the archive is damaged at this file; pack it again", code="archive_damaged")
        with file:
            yield MemberFile(file)


class MemberFile:
    """The bytes of a member, from start to end."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, num_bytes: int) -> bytes:
        with _damage_told():
            return self._file.read(num_bytes)


def members(path: Path, form: Archive) -> Iterator[Member]:
    """Yield the plain files and the unusable entries of an archive in its own order; folders are passed over.

    Raises:
        InvalidAudio: archive_damaged. Members already yielded are good.
    """
    with _damage_told():
        yield from _zip_members(path) if form == "zip" else _tar_members(path, form)


@contextmanager
def _damage_told() -> Iterator[None]:
    try:
        yield
    except _BROKEN as error:
        raise InvalidAudio(f"the archive is damaged ({error}); pack it again", code="archive_damaged") from error


class _CappedTarInfo(tarfile.TarInfo):
    """Refuses extended headers of absurd size, which tarfile would read into memory whole."""

    def _proc_member(self, tar: tarfile.TarFile) -> Self:
        plain = self.type in {tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE} or self.type not in tarfile.SUPPORTED_TYPES
        if not plain and self.size > _MAX_HEADER_BYTES:
            raise tarfile.ReadError("an extended header is too large")
        info: Self = super()._proc_member(tar)  # type: ignore[misc]  # a documented hook that the stubs leave out
        return info


def _tar_members(path: Path, form: Archive) -> Iterator[Member]:
    mode = "r|gz" if form == "tar.gz" else "r|"
    with tarfile.open(path, mode, tarinfo=_CappedTarInfo) as tar:  # type: ignore[call-overload]  # mode is a str here
        for info in tar:
            tar.members.clear()  # tarfile would keep them all
            if info.isdir():
                continue
            refusal = None
            if info.type not in {tarfile.REGTYPE, tarfile.AREGTYPE} or info.issparse():
                refusal = _not_a_file()
            yield Member(label(info.name), info.size, refusal, lambda info=info: tar.extractfile(info))  # type: ignore[misc]


class _CappedReads(io.FileIO):
    """Refuses single reads that no honest archive needs."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0 or size > _MAX_READ_BYTES:
            raise zipfile.BadZipFile("its directory is too large")
        return super().read(size) or b""


def _zip_members(path: Path) -> Iterator[Member]:
    with _CappedReads(path) as file, zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            if info.is_dir():
                continue
            name = label(info.filename)
            yield Member(name, info.file_size, _zip_refusal(info), lambda info=info: archive.open(info))  # type: ignore[misc]


def _zip_refusal(info: zipfile.ZipInfo) -> InvalidAudio | None:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in {0, stat.S_IFREG}:
        return _not_a_file()
    if info.flag_bits & 1:
        return InvalidAudio("it is encrypted; pack it without a password", code="encrypted")
    if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        return InvalidAudio("it is packed in a rare way; use plain zip (stored or deflated)", code="archive_form")
    if info.file_size > _RATIO_FROM_BYTES and info.file_size > _MAX_RATIO * info.compress_size:
        return InvalidAudio("it unpacks to far more than its size; send the file itself", code="bomb")
    return None


def _not_a_file() -> InvalidAudio:
    return InvalidAudio("it is a link or a device, not a file; pack the file itself", code="not_a_file")

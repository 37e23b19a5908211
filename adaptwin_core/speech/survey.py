"""Walks over the sources, archives opened: first to see what there is, then again for the audio files one by one."""

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.speech.files.archive import Member, MemberFile, members
from adaptwin_core.speech.files.sources import SourceFile, is_hidden
from adaptwin_core.speech.limits import GIB, MIB, Limits
from adaptwin_core.speech.notices import Notices
from adaptwin_core.speech.sound.sniff import (
    HEAD_BYTES,
    READ_FORMS,
    Archive,
    Container,
    foreign_audio,
    is_foreign_archive,
    sniff_archive,
    sniff_audio,
)
from adaptwin_core.speech.texts.transcripts import Transcripts, is_transcript

_SPOOL_BYTES = 1 << 20
_DOCUMENTS = (".xlsx", ".xlsm", ".xls", ".ods", ".numbers", ".docx", ".doc", ".odt", ".pages", ".rtf", ".pdf")


@dataclass(frozen=True)
class AudioFile:
    """One audio file, ready to decode. Its path is good until the next one is asked for."""

    name: str
    path: Path
    container: Container


@dataclass
class Survey:
    """What the sources hold."""

    transcripts: Transcripts
    audio: dict[tuple[int, int], tuple[str, Container]] = field(default_factory=dict)  # (source, entry in it) -> file
    refused_names: list[str] = field(default_factory=list)  # of files that are not transcripts

    @property
    def audio_names(self) -> list[str]:
        """Labels of the audio files, each once, in the order they are read."""
        return [name for name, _ in self.audio.values()]


def survey(sources: Sequence[SourceFile], limits: Limits, notices: Notices) -> Survey:
    """Look at every file once: transcripts are read, unusable files rejected.

    Raises:
        InvalidAudio: too_many_files or too_large: the set goes past its caps.
    """
    surveyor = _Surveyor(limits, notices)
    try:
        for i, source in enumerate(sources):
            surveyor.look_at(i, source)
    except _OverCapError as cap:
        raise InvalidAudio(str(cap), code=cap.code) from None
    return surveyor.found


def audio_files(
    sources: Sequence[SourceFile], spool: Path, found: Survey, wanted: Collection[str], notices: Notices
) -> Iterator[AudioFile]:
    """Yield the wanted audio files of a survey. One from an archive is spooled under our own name, then deleted."""
    audio = {place: file for place, file in found.audio.items() if file[0] in wanted}
    last = dict(audio.keys())  # source -> its last entry that is wanted
    for i, source in enumerate(sources):
        if i not in last:
            continue
        form = _archive_of(source)
        if form is None:
            name, container = audio[i, 0]
            yield AudioFile(name, source.path, container)
            continue
        path = spool / "member"
        for entry, member in enumerate(members(source.path, form)):
            if (i, entry) in audio:
                name, container = audio[i, entry]
                try:
                    _copy(member.open(), path)
                except InvalidAudio as damage:
                    notices.reject(name, damage.code, damage.message)
                else:
                    yield AudioFile(name, path, container)
                path.unlink(missing_ok=True)
            if entry == last[i]:
                break


class _OverCapError(Exception):
    """The whole set goes past a cap. Not an InvalidAudio, which would cost only the file at hand."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class _Surveyor:
    def __init__(self, limits: Limits, notices: Notices) -> None:
        self.found = Survey(Transcripts(notices))
        self._limits = limits
        self._notices = notices
        self._names: set[str] = set()
        self._num_entries = 0
        self._num_bytes = 0
        self._num_text_bytes = 0

    def look_at(self, i: int, source: SourceFile) -> None:
        """Look at one source, and into it where it is an archive."""
        if is_hidden(source.name):
            self._pass_over(source.name)
            return
        with self._refusals_noted(source.name):
            _check_readable(source.path)
            self._look_into(i, source)

    def _look_into(self, i: int, source: SourceFile) -> None:
        form = _archive_of(source)
        if form is None:
            size_bytes = source.path.stat().st_size
            with source.path.open("rb") as file:
                self._look(i, 0, Member(source.name, size_bytes, None, lambda: file))
            return
        for entry, member in enumerate(members(source.path, form)):
            self._look(i, entry, member)

    def _look(self, i: int, entry: int, member: Member) -> None:
        self._count(member.size_bytes)
        if is_hidden(member.name):
            self._pass_over(member.name)
            return
        with self._refusals_noted(member.name):
            self._take(i, entry, member)

    def _take(self, i: int, entry: int, member: Member) -> None:
        if member.refusal is not None:
            raise member.refusal
        if member.size_bytes > self._limits.max_file_bytes:
            gib = self._limits.max_file_bytes / GIB
            raise InvalidAudio(f"it is over {gib:g} GiB; cut it into several files", code="file_too_large")
        if member.size_bytes == 0 and not is_transcript(member.name):
            raise InvalidAudio("it is empty (0 bytes); export or upload it again", code="empty_file")
        file = member.open()
        head = file.read(HEAD_BYTES)
        container = sniff_audio(head)
        if container is not None:
            self._admit(member.name)
            self.found.audio[i, entry] = (member.name, container)
        elif is_transcript(member.name):
            self.found.transcripts.add_file(member.name, head + self._rest_of(file, member))
        else:
            raise _not_audio(member.name, head)

    def _pass_over(self, name: str) -> None:
        self._notices.warn("hidden_files", name)

    def _admit(self, name: str) -> None:
        if name in self._names:
            raise InvalidAudio("another file of the set has this name; rename one", code="duplicate_name")
        self._names.add(name)

    def _rest_of(self, file: MemberFile, member: Member) -> bytes:
        self._num_text_bytes += member.size_bytes
        if self._num_text_bytes > self._limits.max_text_bytes:
            mib = self._limits.max_text_bytes / MIB
            raise InvalidAudio(f"transcripts may take {mib:g} MiB in all; this is past it", code="file_too_large")
        return file.read(member.size_bytes)

    def _count(self, size_bytes: int) -> None:
        self._num_entries += 1
        self._num_bytes += size_bytes
        if self._num_entries > self._limits.max_entries:
            raise _OverCapError(f"the set has over {self._limits.max_entries} files; send fewer", "too_many_files")
        if self._num_bytes > self._limits.max_bytes:
            gib = self._limits.max_bytes / GIB
            raise _OverCapError(f"the set takes over {gib:g} GiB unpacked; send less, or as flac or opus", "too_large")

    @contextmanager
    def _refusals_noted(self, name: str) -> Iterator[None]:
        try:
            yield
        except InvalidAudio as refusal:
            self._notices.reject(name, refusal.code, refusal.message)
            if not is_transcript(name):
                self.found.refused_names.append(name)


def _check_readable(path: Path) -> None:
    """Refuse what stands in a folder and is no file, or is not ours to read.

    Raises:
        InvalidAudio: not_a_file or unreadable_file.
    """
    if path.is_dir():
        raise InvalidAudio(
            "it is a folder that is read already under another name, or may not be read; put the files themselves here",
            code="not_a_file",
        )
    if not path.is_file():
        raise InvalidAudio("it is a broken link or no plain file; put the file itself in its place", code="not_a_file")
    if not os.access(path, os.R_OK):
        raise InvalidAudio("it may not be read; change its permissions", code="unreadable_file")


def _archive_of(source: SourceFile) -> Archive | None:
    """Return the form of archive that a file is opened as. One that an office program made is a file, though a zip."""
    return None if _is_document(source.name) else sniff_archive(_head_of(source.path))


def _is_document(name: str) -> bool:
    """Tell whether it is a table or a text of an office program, many of which are zips."""
    return name.casefold().endswith(_DOCUMENTS)


def _not_audio(name: str, head: bytes) -> InvalidAudio:
    if _is_document(name):
        return InvalidAudio("it is a document; save its table as csv, or its text as txt, in UTF-8", code="not_audio")
    if sniff_archive(head) is not None:
        return InvalidAudio("it is an archive inside an archive; pack the files themselves", code="nested_archive")
    if is_foreign_archive(head):
        return InvalidAudio("archives of this kind are not read; use tar, tar.gz or zip", code="archive_form")
    form = foreign_audio(head)
    if form is not None:
        return InvalidAudio(f"it looks like {form}, which is not read; convert it to wav or flac", code="not_audio")
    return InvalidAudio(f"its content is not audio we read: {READ_FORMS}", code="not_audio")


def _head_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def _copy(source: MemberFile, path: Path) -> None:
    with path.open("wb") as file:
        while block := source.read(_SPOOL_BYTES):
            file.write(block)

"""The first walk over the sources, archives opened: it counts, tells audio from text, and refuses what is neither."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from adaptwin_core.domain.errors import AudioCode, InvalidAudio
from adaptwin_core.domain.hidden_names import is_hidden
from adaptwin_core.speech.files.archive import Member, MemberFile, members
from adaptwin_core.speech.files.kinds import archive_of, check_readable, not_audio
from adaptwin_core.speech.files.sources import SourceFile
from adaptwin_core.speech.limits import GIB, MIB, Limits
from adaptwin_core.speech.notices import Notices
from adaptwin_core.speech.sound.sniff import HEAD_BYTES, Container, sniff_audio
from adaptwin_core.speech.texts.transcripts import Transcripts, is_transcript


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
    """Look at every file once. Transcripts are read, and unusable files are rejected.

    Raises:
        InvalidAudio: too_many_files or too_large.
    """
    surveyor = _Surveyor(limits, notices)
    try:
        for i, source in enumerate(sources):
            surveyor.look_at(i, source)
    except _OverCapError as cap:
        raise InvalidAudio(str(cap), code=cap.code) from None
    return surveyor.found


class _OverCapError(Exception):
    """The whole set is over a limit. It is no InvalidAudio, which would reject only the current file."""

    def __init__(self, message: str, code: AudioCode) -> None:
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
            check_readable(source.path)
            self._look_into(i, source)

    def _look_into(self, i: int, source: SourceFile) -> None:
        form = archive_of(source)
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
            raise not_audio(member.name, head)

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

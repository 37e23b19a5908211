"""The second walk over the sources: the audio files that a survey found, one by one, ready to decode."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.speech.files.archive import MemberFile, members
from adaptwin_core.speech.files.kinds import archive_of
from adaptwin_core.speech.files.sources import SourceFile
from adaptwin_core.speech.notices import Notices
from adaptwin_core.speech.sound.sniff import Container
from adaptwin_core.speech.survey import Survey

_SPOOL_BYTES = 1 << 20


@dataclass(frozen=True)
class AudioFile:
    """One audio file, ready to decode. Its path is good until the next one is asked for."""

    name: str
    path: Path
    container: Container


def audio_files(
    sources: Sequence[SourceFile], spool: Path, found: Survey, wanted: Collection[str], notices: Notices
) -> Iterator[AudioFile]:
    """Yield the wanted audio files of a survey. One from an archive is spooled under our own name, then deleted."""
    audio = {place: file for place, file in found.audio.items() if file[0] in wanted}
    last = dict(audio.keys())  # source -> its last entry that is wanted
    for i, source in enumerate(sources):
        if i not in last:
            continue
        form = archive_of(source)
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


def _copy(source: MemberFile, path: Path) -> None:
    with path.open("wb") as file:
        while block := source.read(_SPOOL_BYTES):
            file.write(block)

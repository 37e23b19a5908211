"""Collects transcript files, and reads each in its form once all names of the set are known."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.speech.annotations import Claim
from adaptwin_core.speech.nfc import nfc
from adaptwin_core.speech.notices import Notices, SharedNotes
from adaptwin_core.speech.texts.claims import ReadFile, claims_of
from adaptwin_core.speech.texts.encodings import Decoded, decode_all
from adaptwin_core.speech.texts.forms import is_transcript, read_form
from adaptwin_core.speech.texts.kaldi import KALDI, KaldiFolder
from adaptwin_core.speech.texts.readings import Reading, TextFile
from adaptwin_core.speech.texts.recording_names import RecordingNames

__all__ = ["Transcripts", "is_transcript"]


class Transcripts:
    """Collects transcript files, in the order they are met."""

    def __init__(self, notices: Notices) -> None:
        self._notices = notices
        self._files: dict[str, bytes] = {}

    def add_file(self, name: str, data: bytes) -> None:
        """Take one transcript file.

        Raises:
            InvalidAudio: duplicate_name.
        """
        if name in self._files:
            raise InvalidAudio("another file of the set has this name; rename one", code="duplicate_name")
        self._files[name] = data

    def claims(self, audio_names: Iterable[str]) -> list[Claim]:
        """Return what the files say, rejecting those that cannot be read.

        Args:
            audio_names: labels of the set's audio files, used or not: forms are recognized by them.
        """
        notes = SharedNotes()
        files = _decoded(self._files, self._notices, notes)
        claims = claims_of(_read_files(files, RecordingNames(audio_names), self._notices, notes), self._notices, notes)
        notes.tell(self._notices)
        return claims


def _decoded(contents: Mapping[str, bytes], notices: Notices, notes: SharedNotes) -> list[TextFile]:
    files = []
    for name, decoded in decode_all(contents).items():
        if isinstance(decoded, Decoded):
            files.append(TextFile(name, nfc(decoded.text.lstrip("\ufeff"))))
            if decoded.encoding:
                notes.add(name, "encoding", f"converted from {decoded.encoding}; check a few of its letters")
        else:
            notices.reject(name, decoded.error.code, decoded.error.message)
    order = {name: i for i, name in enumerate(contents)}
    return sorted(files, key=lambda file: order[file.name])


def _read_files(
    files: Sequence[TextFile], recordings: RecordingNames, notices: Notices, notes: SharedNotes
) -> list[ReadFile]:
    kaldi = _kaldi_folders(files)
    readings: list[tuple[TextFile, Reading]] = []
    for file in files:
        try:
            reading = read_form(file, kaldi.get(file.folder, KaldiFolder()), recordings)
        except InvalidAudio as refusal:
            notices.reject(file.name, refusal.code, refusal.message)
            continue
        readings.append((file, reading))
        if reading.code is not None:
            notes.add(file.name, reading.code, reading.note)
        for number in reading.bad_lines:
            notices.warn("unreadable_row", f"{file.name}, line {number}")
        for number in reading.piece_lines:
            notices.warn("piece_of_recording", f"{file.name}, line {number}")
    return readings


def _kaldi_folders(files: Sequence[TextFile]) -> dict[str, KaldiFolder]:
    by_folder: dict[str, dict[str, TextFile]] = defaultdict(dict)
    for file in files:
        if file.base in KALDI:
            by_folder[file.folder][file.base] = file
    return {folder: KaldiFolder.of(within) for folder, within in by_folder.items()}

"""Turns transcript files into claims: each file is read in its form once all names of the set are known."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.speech.claims import SPLITS, Claim, Line, Split
from adaptwin_core.speech.composed import composed
from adaptwin_core.speech.notices import Notices
from adaptwin_core.speech.texts import sidecars
from adaptwin_core.speech.texts.encodings import Decoded, decode_all
from adaptwin_core.speech.texts.forms import is_transcript, read_form
from adaptwin_core.speech.texts.kaldi import KALDI, KaldiFolder
from adaptwin_core.speech.texts.readings import Found, Reading, TextFile
from adaptwin_core.speech.texts.recordings import RecordingNames
from adaptwin_core.speech.texts.table_splits import splits_by_name
from adaptwin_core.speech.texts.written import as_taught

__all__ = ["Transcripts", "is_transcript"]

# What spreadsheets and programs write in a table where they have no value.
_NO_VALUES = frozenset(
    {
        *(
            "#NAME?",
            "#N/A",
            "#REF!",
            "#VALUE!",
            "#DIV/0!",
            "#NUM!",
            "#NULL!",
            "#ERROR!",
            "#FIELD!",
            "#SPILL!",
            "#BEZUG!",
        ),
        *("#WERT!", "#NV", "nan", "NaN", "NAN", "<NA>", "NULL", "None", "undefined"),
    }
)


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
        return _Reader(self._notices, RecordingNames(audio_names)).read(self._files)


class _Reader:
    def __init__(self, notices: Notices, recordings: RecordingNames) -> None:
        self._notices = notices
        self._recordings = recordings
        self._told: dict[tuple[str, str], list[str]] = defaultdict(list)  # code and message -> files

    def read(self, contents: Mapping[str, bytes]) -> list[Claim]:
        files = self._decoded(contents)
        kaldi = self._kaldi_folders(files)
        readings: list[tuple[TextFile, Reading]] = []
        for file in files:
            try:
                reading = read_form(file, kaldi.get(file.folder, KaldiFolder()), self._recordings)
            except InvalidAudio as refusal:
                self._notices.reject(file.name, refusal.code, refusal.message)
                continue
            readings.append((file, reading))
            if reading.note:
                self._told[reading.code, reading.note].append(file.name)
            for number in reading.bad_lines:
                self._notices.add("unreadable_row", f"{file.name}, line {number}")
            for number in reading.piece_lines:
                self._notices.add("piece_of_recording", f"{file.name}, line {number}")
        claims = self._table_claims([(f, r) for f, r in readings if not r.is_sidecar])
        claims += self._sidecar_claims([(f, r) for f, r in readings if r.is_sidecar])
        for (code, message), names in self._told.items():
            self._notices.note(names[0], code, message + _and_more(len(names)))
        return claims

    def _decoded(self, contents: Mapping[str, bytes]) -> list[TextFile]:
        files = []
        for name, decoded in decode_all(contents).items():
            if isinstance(decoded, Decoded):
                files.append(TextFile(name, composed(decoded.text.lstrip("\ufeff"))))
                if decoded.encoding:
                    self._told["encoding", f"converted from {decoded.encoding}; check a few of its letters"].append(
                        name
                    )
            else:
                self._notices.reject(name, decoded.error.code, decoded.error.message)
        order = {name: i for i, name in enumerate(contents)}
        return sorted(files, key=lambda file: order[file.name])

    def _kaldi_folders(self, files: Sequence[TextFile]) -> dict[str, KaldiFolder]:
        by_folder: dict[str, dict[str, TextFile]] = defaultdict(dict)
        for file in files:
            if file.base in KALDI:
                by_folder[file.folder][file.base] = file
        return {folder: KaldiFolder.of(within) for folder, within in by_folder.items()}

    def _table_claims(self, readings: Sequence[tuple[TextFile, Reading]]) -> list[Claim]:
        splits = splits_by_name([file for file, reading in readings if reading.found])
        claims: list[Claim] = []
        for file, reading in readings:
            if file.name in splits:
                self._told["split", f"its name says that its recordings are for {splits[file.name]}"].append(file.name)
            lines = [self._claim(file, found, splits.get(file.name), is_sidecar=False) for found in reading.found]
            claims += self._with_silence(lines)
        return claims

    def _sidecar_claims(self, readings: Sequence[tuple[TextFile, Reading]]) -> list[Claim]:
        claims = [
            self._claim(file, found, None, is_sidecar=True) for file, reading in readings for found in reading.found
        ]
        kept, others = sidecars.one_each(claims)
        for place in others:
            self._notices.add("overruled_transcript", place)
        return self._with_silence(kept)

    def _claim(self, file: TextFile, found: Found, split: Split | None, *, is_sidecar: bool) -> Claim:
        given = (found.split or "").strip()
        if given:
            split = SPLITS.get(given.casefold())
            if split is None:
                self._notices.add("unknown_split", given[:40])
        text = None if found.text is None else as_taught(found.text)
        place = f"{file.name}, line {found.number}" if found.number else file.name
        if text and ("\ufffd" in text or (found.number and text in _NO_VALUES)):
            self._notices.add("lost_letters", place)
            text = None
        return Claim(found.key.strip(), file.folder, Line(text, split), place, is_sidecar)

    def _with_silence(self, claims: Sequence[Claim]) -> list[Claim]:
        """Return the claims that say something.

        An empty text says that nobody speaks where it is the exception. Where most are empty, the set is not yet
        transcribed, and they say nothing.
        """
        empty = [claim.place for claim in claims if claim.line.text == ""]
        if len(empty) > sum(bool(claim.line.text) for claim in claims):
            for place in empty:
                self._notices.add("empty_texts", place)
            claims = [_unless_empty(claim) for claim in claims]
        elif empty:
            message = f"its text is empty: nobody speaks in this recording{_and_more(len(empty))}"
            self._notices.note(empty[0], "silence", message)
        return [claim for claim in claims if claim.line != Line()]


def _and_more(count: int) -> str:
    return f" (and in {count - 1} more)" if count > 1 else ""


def _unless_empty(claim: Claim) -> Claim:
    if claim.line.text != "":
        return claim
    return Claim(claim.key, claim.folder, Line(None, claim.line.split), claim.place, claim.is_sidecar)

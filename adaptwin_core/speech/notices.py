"""What the person is told about a set: files that are not used, warnings, and how files were understood."""

from collections import defaultdict
from typing import Final, Literal

from adaptwin_core.domain.dataset_report import DatasetNote, DatasetWarning, RejectedFile
from adaptwin_core.domain.errors import AudioCode

WarningCode = Literal[
    "ambiguous_transcript",
    "clipped",
    "damaged",
    "empty_texts",
    "ends_trimmed",
    "hidden_files",
    "long_clip_unlabelled",
    "lost_letters",
    "no_test",
    "one_channel",
    "overruled_transcript",
    "piece_of_recording",
    "rescaled",
    "silent_parts",
    "text_mismatch",
    "transcript_without_audio",
    "unknown_split",
    "unreadable_row",
]
NoteCode = Literal[
    "capitals", "encoding", "json", "list", "not_taught", "silence", "sound_track", "split", "table", "timed_text"
]
RejectCode = AudioCode | Literal["same_recording"]

_MAX_EXAMPLES = 5
MESSAGES: Final[dict[WarningCode, str]] = {
    "ambiguous_transcript": "several transcripts fit one file, or one fits several; none is used",
    "clipped": "more than 1 % of the samples are at full scale; record with a lower level",
    "damaged": "the file breaks off or is broken in places; what can be read is used, without its transcript",
    "empty_texts": "most texts are empty, so empty ones count as missing; fill most in to make them silence",
    "ends_trimmed": "it is over 30 s only by quiet or padding at its ends, which were removed",
    "hidden_files": "hidden and system files were skipped; rename those that hold speech or texts",
    "long_clip_unlabelled": "it is over 30 s and was cut at pauses, so its transcript cannot be placed and is not used",
    "lost_letters": "the text holds \ufffd for lost letters, or is a cell without a value (#NAME?, nan): it is unused",
    "no_test": "there is too little speech to hold any out for testing; send more recordings",
    "one_channel": "the channels cancel each other, as if one were wired wrongly; the loudest is used alone",
    "overruled_transcript": "the recording has a text that is nearer or plainer; this one is not used",
    "piece_of_recording": "the text is of a part of a recording and cannot be placed yet; send one file for each part",
    "rescaled": "its samples are floats far beyond 1 and were scaled down; save floats between -1 and 1",
    "silent_parts": "the recording is long and holds silent parts, which were removed",
    "text_mismatch": "the transcript is too long or too short for the audio; check that they belong together",
    "transcript_without_audio": "the transcript is of a recording that is missing or cannot be used",
    "unknown_split": "the name of the split is none of train, valid and test; it is ignored",
    "unreadable_row": "the line of the transcript file cannot be read; it is left out",
}


class Notices:
    """Collects rejects and notes in the order they arise, and counts the cases of each warning."""

    def __init__(self) -> None:
        self.rejects: list[RejectedFile] = []
        self.notes: list[DatasetNote] = []
        self._count: dict[WarningCode, int] = defaultdict(int)
        self._examples: dict[WarningCode, list[str]] = defaultdict(list)

    def reject(self, name: str, code: RejectCode, reason: str) -> None:
        """Say that a file is not used, and why."""
        self.rejects.append(RejectedFile(name=name, code=code, reason=reason))

    def note(self, name: str, code: NoteCode, message: str) -> None:
        """Say how a file was understood where it could have been otherwise."""
        self.notes.append(DatasetNote(name=name, code=code, message=message))

    def warn(self, code: WarningCode, example: str) -> None:
        """Count one more case of a warning; the first few different examples are kept."""
        self._count[code] += 1
        examples = self._examples[code]
        if len(examples) < _MAX_EXAMPLES and example not in examples:
            examples.append(example)

    @property
    def warnings(self) -> list[DatasetWarning]:
        """The warnings so far, by code."""
        return [
            DatasetWarning(code=code, message=MESSAGES[code], count=self._count[code], examples=self._examples[code])
            for code in sorted(self._count)
        ]


class SharedNotes:
    """Collects notes of which many files have the same: each is told once, with how many more files it holds for."""

    def __init__(self) -> None:
        self._names: dict[tuple[NoteCode, str], list[str]] = defaultdict(list)

    def add(self, name: str, code: NoteCode, message: str) -> None:
        """Take a note of one file."""
        self._names[code, message].append(name)

    def tell(self, notices: Notices) -> None:
        """Give the notes to `notices`, in the order in which they first came."""
        for (code, message), (first, *others) in self._names.items():
            notices.note(first, code, message + (f" (and in {len(others)} more)" if others else ""))

"""What the person is told about a set: files that are not used, warnings, and how files were understood."""

from collections import defaultdict
from typing import Final, Literal

from adaptwin_core.domain.dataset_report import DatasetNote, DatasetWarning, RejectedFile

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

_MAX_EXAMPLES = 5
MESSAGES: Final[dict[WarningCode, str]] = {
    "ambiguous_transcript": "transcripts fit several files, or several fit one file; they were left out",
    "clipped": "more than 1 % of the samples are at full scale; record with a lower level",
    "damaged": "the file breaks off or is broken in places; what could be read is used, without its transcript",
    "empty_texts": "most texts are empty, so the empty ones say nothing; they count as silence once most are filled",
    "ends_trimmed": "over 30 s by quiet or padding at the ends alone: that was left out, and the clip stays whole",
    "hidden_files": "hidden files and files of the system were passed over; rename those that hold speech or texts",
    "long_clip_unlabelled": "longer than 30 s: cut at pauses; its transcript cannot be placed and is not used",
    "lost_letters": "texts hold \ufffd for lost letters, or a cell's error or nothing (#NAME?, nan); they are not used",
    "no_test": "too little speech to hold any out for testing; send more recordings",
    "one_channel": "the channels cancel each other (one is wired the wrong way round); the loudest is used alone",
    "overruled_transcript": "other texts for recordings that have a nearer or plainer one; they were left out",
    "piece_of_recording": "texts of parts of a recording cannot be placed yet; send one file for each part",
    "rescaled": "samples are floats far beyond 1, as of integers; they were scaled down: save floats within -1 and 1",
    "silent_parts": "long recordings hold silent parts, which were dropped",
    "text_mismatch": "the transcript is too long or too short for the audio; check that they belong together",
    "transcript_without_audio": "transcripts of recordings that are not there or cannot be used",
    "unknown_split": "split names other than train, valid and test; they were ignored",
    "unreadable_row": "lines of a transcript file could not be read; they were left out",
}


class Notices:
    """Collects rejects and notes in the order they arise, and counts the cases of each warning."""

    def __init__(self) -> None:
        self.rejects: list[RejectedFile] = []
        self.notes: list[DatasetNote] = []
        self._count: dict[WarningCode, int] = defaultdict(int)
        self._examples: dict[WarningCode, list[str]] = defaultdict(list)

    def reject(self, name: str, code: str, reason: str) -> None:
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

"""Rejects, warnings and notes: what the person is told about a set, in a form that goes into JSON as it is."""

from typing import TypedDict

_MAX_EXAMPLES = 5

MESSAGES = {
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


class Reject(TypedDict):
    """A file that is not used, and why."""

    name: str
    code: str
    reason: str


class Warning_(TypedDict):  # noqa: N801  # Warning is a builtin
    """Something about files that are used which the person should know."""

    code: str
    message: str
    count: int
    examples: list[str]


class Note(TypedDict):
    """How a file was understood where it could have been otherwise."""

    name: str
    code: str
    message: str


class Notices:
    """Collects rejects, warnings and notes in the order they arise."""

    def __init__(self) -> None:
        self.rejects: list[Reject] = []
        self.notes: list[Note] = []
        self._warned: dict[str, Warning_] = {}

    def reject(self, name: str, code: str, reason: str) -> None:
        self.rejects.append(Reject(name=name, code=code, reason=reason))

    def note(self, name: str, code: str, message: str) -> None:
        """Say how a file was understood."""
        self.notes.append(Note(name=name, code=code, message=message))

    def add(self, code: str, example: str) -> None:
        """Count one more case of a warning."""
        warning = self._warned.setdefault(code, Warning_(code=code, message=MESSAGES[code], count=0, examples=[]))
        warning["count"] += 1
        if len(warning["examples"]) < _MAX_EXAMPLES and example not in warning["examples"]:
            warning["examples"].append(example)

    @property
    def warnings(self) -> list[Warning_]:
        return [self._warned[code] for code in sorted(self._warned)]

"""Reads Kaldi's files: `text` gives the words of each utterance id, and `wav.scp` the file of each id."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.speech.texts.line_lists import numbered
from adaptwin_core.speech.texts.readings import Entry, Reading, TextFile
from adaptwin_core.speech.texts.recording_names import RecordingNames, is_audio_name

KALDI = frozenset({"text", "wav.scp", "segments"})


@dataclass
class KaldiFolder:
    """The files beside a `text`: which file each id stands for, and which ids are parts of files."""

    paths: Mapping[str, str] = field(default_factory=dict)
    piece_ids: frozenset[str] = frozenset()
    has_text: bool = False

    @classmethod
    def of(cls, files: Mapping[str, TextFile]) -> "KaldiFolder":
        """Return the one of a folder's files by the last part of their names."""
        scp, segments = files.get("wav.scp"), files.get("segments")
        named = [(key, _file_in(rest)) for _, key, rest in numbered(scp.text)] if scp else []
        pieces = frozenset(key for _, key, _ in numbered(segments.text)) if segments else frozenset[str]()
        return cls({key: path for key, path in named if path}, pieces, "text" in files)


def read_kaldi(file: TextFile, folder: KaldiFolder, recordings: RecordingNames) -> Reading:
    """Read one of Kaldi's files.

    Raises:
        InvalidAudio: transcript_form: it is not Kaldi's, is of no use alone, or is of parts of recordings.
    """
    if file.base == "wav.scp":
        if folder.has_text:
            return Reading(())
        raise InvalidAudio(
            "it names recordings, but the file `text` is not beside it; put it there", code="transcript_form"
        )
    if file.base == "segments":
        raise InvalidAudio(
            "parts of recordings cannot be placed yet; cut the recordings into one file for each part",
            code="transcript_form",
        )
    lines = list(numbered(file.text))
    known = sum(key in folder.paths or key in folder.piece_ids or key in recordings for _, key, _ in lines)
    if 2 * known < len(lines) or not lines:
        raise InvalidAudio("its lines do not begin with the ids or names of recordings", code="transcript_form")
    entries = tuple(
        Entry(folder.paths.get(key, key), text, None, n) for n, key, text in lines if key not in folder.piece_ids
    )
    pieces = tuple(n for n, key, _ in lines if key in folder.piece_ids)
    return Reading(entries, "list", "Kaldi's list of ids and texts", piece_lines=pieces)


def _file_in(command: str) -> str | None:
    """Return the file that a line of wav.scp reads: a path, or the one audio file in a command that ends in a pipe."""
    if not command.endswith("|"):
        return command or None
    named = {word.strip("'\"") for word in command.split() if is_audio_name(word.strip("'\""))}
    return named.pop() if len(named) == 1 else None

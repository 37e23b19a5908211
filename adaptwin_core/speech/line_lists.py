"""Reads lists of a name and a text a line: Kaldi's `text`, LibriSpeech's `.trans.txt`, Festival's prompts."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.speech.readings import Found, Reading, TextFile
from adaptwin_core.speech.recordings import RecordingNames, is_audio_name
from adaptwin_core.speech.tables import lines_of, shape

_FESTIVAL = re.compile(r'\s*\(\s*(\S+)\s+"((?:[^"\\]|\\.)*)"\s*\)\s*')
_CODE = re.compile(r"\S*[\d_.\-]\S*")  # a plain word before a text may belong to it
_SHARE = 0.8  # of the lines begin with a recording's name, or with one like it


@dataclass
class KaldiFolder:
    """What lies beside a `text`: which file each id is, and which ids are parts of files."""

    paths: Mapping[str, str] = field(default_factory=dict)
    piece_ids: frozenset[str] = frozenset()
    has_text: bool = False

    @classmethod
    def of(cls, files: Mapping[str, TextFile]) -> "KaldiFolder":
        """Return the one of a folder's files by the last part of their names."""
        scp, segments = files.get("wav.scp"), files.get("segments")
        named = [(key, _file_in(rest)) for _, key, rest in _numbered(scp.text)] if scp else []
        pieces = frozenset(key for _, key, _ in _numbered(segments.text)) if segments else frozenset[str]()
        return cls({key: path for key, path in named if path}, pieces, "text" in files)


def read_kaldi(file: TextFile, folder: KaldiFolder, recordings: RecordingNames) -> Reading:
    """Read one of Kaldi's files.

    Raises:
        InvalidAudio: transcript_form: it is not Kaldi's, says nothing alone, or speaks of parts of recordings.
    """
    if file.base == "wav.scp":
        if folder.has_text:
            return Reading(())
        raise InvalidAudio("it names recordings, and no file `text` lies beside it", code="transcript_form")
    if file.base == "segments":
        raise InvalidAudio(
            "parts of recordings cannot be placed yet; cut the recordings into one file for each part",
            code="transcript_form",
        )
    lines = list(_numbered(file.text))
    known = sum(key in folder.paths or key in folder.piece_ids or key in recordings for _, key, _ in lines)
    if 2 * known < len(lines) or not lines:
        raise InvalidAudio("its lines do not begin with the ids or names of recordings", code="transcript_form")
    found = tuple(
        Found(folder.paths.get(key, key), text, None, n) for n, key, text in lines if key not in folder.piece_ids
    )
    pieces = tuple(n for n, key, _ in lines if key in folder.piece_ids)
    return Reading(found, "list", "Kaldi's list of ids and texts", piece_lines=pieces)


def read_list(file: TextFile, recordings: RecordingNames) -> Reading | None:
    """Return the reading of a list, or None where the file is none."""
    filled = [(number, line) for number, line in enumerate(lines_of(file.text), start=1) if line.strip()]
    festival = [(number, _FESTIVAL.fullmatch(line)) for number, line in filled]
    if filled and festival[0][1]:
        return Reading(
            tuple(Found(m[1], re.sub(r"\\(.)", r"\1", m[2]), None, n) for n, m in festival if m),
            "list",
            'Festival\'s list of ( id "text" )',
            bad_lines=tuple(n for n, m in festival if not m),
        )
    lines = list(_numbered(file.text))
    if file.base.casefold().endswith(".trans.txt"):
        return Reading(_all_found(lines), "list", "LibriSpeech's list of ids and texts")
    shapes = {shape(key) for _, key, _ in lines if key in recordings and _CODE.fullmatch(key)}
    named = [line for line in lines if shape(line[1]) in shapes]
    if not named or len(named) < _SHARE * len(lines):
        return None
    unnamed = tuple(number for number, key, _ in lines if shape(key) not in shapes)
    texts = [text for _, _, text in named]
    if not any(texts):
        return Reading(
            tuple(Found(key, None, None, number) for number, key, _ in named), "list", "a list of names only"
        )
    if all(text.startswith("- ") for text in texts):
        texts = [text[2:] for text in texts]
    if all(len(text) > 1 and text[0] == text[-1] == '"' for text in texts):
        texts = [text[1:-1] for text in texts]
    found = tuple(Found(key, text, None, number) for (number, key, _), text in zip(named, texts, strict=True))
    return Reading(found, "list", "a list of names and texts", unnamed)


def _all_found(lines: Sequence[tuple[int, str, str]]) -> tuple[Found, ...]:
    return tuple(Found(key, text, None, number) for number, key, text in lines)


def _numbered(text: str) -> "list[tuple[int, str, str]]":
    """Return each filled line's number, first word and rest."""
    cut = [(number, line.split(None, 1)) for number, line in enumerate(lines_of(text), start=1)]
    return [
        (number, parts[0].rstrip(":"), parts[1].strip() if len(parts) > 1 else "") for number, parts in cut if parts
    ]


def _file_in(command: str) -> str | None:
    """Return the file that a line of wav.scp reads: a path, or the one audio file in a command that ends in a pipe."""
    if not command.endswith("|"):
        return command or None
    named = {word.strip("'\"") for word in command.split() if is_audio_name(word.strip("'\""))}
    return named.pop() if len(named) == 1 else None

"""Reads lists that have a name and a text on each line: LibriSpeech's `.trans.txt`, Festival's prompts."""

import re
from collections.abc import Sequence

from adaptwin_core.speech.texts.readings import Entry, Reading, TextFile
from adaptwin_core.speech.texts.recording_names import RecordingNames
from adaptwin_core.speech.texts.table_fields import lines_of, shape

_FESTIVAL = re.compile(r'\s*\(\s*(\S+)\s+"((?:[^"\\]|\\.)*)"\s*\)\s*')
_CODE = re.compile(r"\S*[\d_.\-]\S*")  # a name; a plain word may belong to the text
_MARK = re.compile(r"(?:[-–—=:|]|-+>|=+>|→)\s+")  # between names and texts
_COLON = re.compile(r"(\S*?\w)[:：](\S.*)")  # JSUT's lists: BASIC5000_0001:水をマレーシアから
_SHARE = 0.8  # of the lines begin with a recording's name, or with one like it


def read_list(file: TextFile, recordings: RecordingNames) -> Reading | None:
    """Return the reading of a list, or None where the file is none."""
    filled = [(number, line) for number, line in enumerate(lines_of(file.text), start=1) if line.strip()]
    festival = [(number, _FESTIVAL.fullmatch(line)) for number, line in filled]
    if filled and festival[0][1]:
        return Reading(
            tuple(Entry(m[1], re.sub(r"\\(.)", r"\1", m[2]), None, n) for n, m in festival if m),
            "list",
            'Festival\'s list of ( id "text" )',
            bad_lines=tuple(n for n, m in festival if not m),
        )
    lines = [_parted_by_colon(line, recordings) for line in numbered(file.text)]
    if file.base.casefold().endswith(".trans.txt"):
        return Reading(_entries_of(lines), "list", "LibriSpeech's list of ids and texts")
    shapes = {shape(key) for _, key, _ in lines if key in recordings and _CODE.fullmatch(key)}
    named = [line for line in lines if shape(line[1]) in shapes]
    if not named or len(named) < _SHARE * len(lines):
        return None
    unnamed = tuple(number for number, key, _ in lines if shape(key) not in shapes)
    texts = [text for _, _, text in named]
    if not any(texts):
        return Reading(
            tuple(Entry(key, None, None, number) for number, key, _ in named), "list", "a list of names only"
        )
    marks = {match[0] if (match := _MARK.match(text)) else "" for text in texts}
    if len(marks) == 1:
        texts = [text.removeprefix(min(marks)) for text in texts]
    if all(len(text) > 1 and text[0] == text[-1] == '"' for text in texts):
        texts = [text[1:-1] for text in texts]
    entries = tuple(Entry(key, text, None, number) for (number, key, _), text in zip(named, texts, strict=True))
    return Reading(entries, "list", "a list of names and texts", unnamed)


def _parted_by_colon(line: tuple[int, str, str], recordings: RecordingNames) -> tuple[int, str, str]:
    number, key, rest = line
    match = _COLON.fullmatch(key)
    if match is None or key in recordings or not _CODE.fullmatch(match[1]):
        return line
    return number, match[1], f"{match[2]} {rest}".strip()


def _entries_of(lines: Sequence[tuple[int, str, str]]) -> tuple[Entry, ...]:
    return tuple(Entry(key, text, None, number) for number, key, text in lines)


def numbered(text: str) -> list[tuple[int, str, str]]:
    """Return each filled line's number, first word and rest."""
    filled = ((number, line) for number, line in enumerate(lines_of(text), start=1) if line and not line.isspace())
    cut = ((number, line.split(None, 1)) for number, line in filled)
    return [(number, parts[0].rstrip(":"), parts[1].strip() if len(parts) > 1 else "") for number, parts in cut]

"""Finds what is said in which file: sidecar texts, LJSpeech metadata.csv, Hugging Face metadata.csv or .jsonl."""

import csv
import io
import json
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.speech.notices import Notices
from adaptwin_core.speech.sources import base, label, stem

Split = Literal["train", "valid", "test"]

_SPLITS: dict[str, Split] = {
    **dict.fromkeys(("train", "training", "general"), "train"),
    **dict.fromkeys(("valid", "validation", "dev", "val"), "valid"),
    **dict.fromkeys(("test", "testing", "eval"), "test"),
}
_TEXT_COLUMNS = ("transcription", "text", "sentence", "transcript")
_METADATA_NAMES = frozenset({"metadata.csv", "metadata.jsonl"})


@dataclass(frozen=True)
class Line:
    """What is known of one file."""

    text: str | None = None
    split: Split | None = None


@dataclass(frozen=True)
class _Row:
    key: str  # how the row names its file: with or without folder, with or without extension
    line: Line


def is_transcript(name: str) -> bool:
    """Tell by its label whether a file that is not audio is to be read for transcripts."""
    return name.lower().endswith(".txt") or base(name).lower() in _METADATA_NAMES


class Transcripts:
    """Collects transcript files, then matches them with the audio files by name."""

    def __init__(self, notices: Notices) -> None:
        self._notices = notices
        self._sidecars: list[_Row] = []
        self._rows: list[_Row] = []

    def add_file(self, name: str, data: bytes) -> None:
        """Read one transcript file.

        Raises:
            InvalidAudio: transcript_encoding or transcript_form.
        """
        try:
            content = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise InvalidAudio("it is not UTF-8 text; save it as UTF-8", code="transcript_encoding") from error
        if base(name).lower() not in _METADATA_NAMES:
            self._sidecars.append(_Row(stem(name), Line(_clean(content))))
            return
        folder = name[: -len(base(name))]
        if name.lower().endswith(".jsonl"):
            rows = self._jsonl_rows(name, content)
        elif _has_header(content):
            rows = self._table_rows(name, content)
        elif "|" in content.lstrip().partition("\n")[0]:
            rows = self._ljspeech_rows(name, content)
        else:
            raise InvalidAudio(
                "it has neither a file_name column nor id|text lines; see the forms of metadata.csv in docs/audio.md",
                code="transcript_form",
            )
        self._rows += (_Row(folder + row.key, row.line) for row in rows)

    def match(self, audio_names: Sequence[str]) -> dict[str, Line]:
        """Return what is known of each audio file that something is known of.

        A name is matched whole, then without its extension, then by its last component where only one file has it.
        A sidecar's text is taken before a table's.
        """
        index = _Index(audio_names)
        tables, sidecars = self._claims(self._rows, index), self._claims(self._sidecars, index)
        return {
            name: Line(
                text=next((line.text for line in (sidecars.get(name), tables.get(name)) if line and line.text), None),
                split=tables[name].split if name in tables else None,
            )
            for name in sorted(tables.keys() | sidecars.keys())
        }

    def _claims(self, rows: list[_Row], index: "_Index") -> dict[str, Line]:
        claims: dict[str, list[tuple[int, Line]]] = defaultdict(list)
        for row in rows:
            rank, names = index.find(row.key)
            if len(names) == 1:
                claims[names[0]].append((rank, row.line))
            elif names:
                self._notices.add("ambiguous_transcript", row.key)
            else:
                self._notices.add("transcript_without_audio", row.key)
        found: dict[str, Line] = {}
        for name, lines in claims.items():
            best = min(rank for rank, _ in lines)
            nearest = {line for rank, line in lines if rank == best}
            if len(nearest) == 1:
                found[name] = nearest.pop()
            else:
                self._notices.add("ambiguous_transcript", name)
        return found

    def _table_rows(self, name: str, content: str) -> Iterator[_Row]:
        try:
            yield from filter(None, (self._row(name, row) for row in csv.DictReader(io.StringIO(content, newline=""))))
        except csv.Error as error:
            raise InvalidAudio(f"it is not a readable CSV file: {error}", code="transcript_form") from error

    def _jsonl_rows(self, name: str, content: str) -> Iterator[_Row]:
        for line in content.split("\n"):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                row = None
            found = self._row(name, row if isinstance(row, dict) else {})
            if found:
                yield found

    def _row(self, name: str, row: dict[str, object]) -> _Row | None:
        key = row.get("file_name")
        if not isinstance(key, str) or not key.strip():
            self._notices.add("unreadable_row", name)
            return None
        text = next((value for column in _TEXT_COLUMNS if isinstance(value := row.get(column), str)), "")
        given = row.get("split")
        split = _SPLITS.get(given.strip().lower()) if isinstance(given, str) else None
        if isinstance(given, str) and given.strip() and split is None:
            self._notices.add("unknown_split", given.strip()[:40])
        return _Row(label(key.strip()), Line(_clean(text), split))

    def _ljspeech_rows(self, name: str, content: str) -> Iterator[_Row]:
        for line in content.split("\n"):
            fields = line.split("|")  # no quoting: a quotation mark in LJSpeech is part of the text
            if len(fields) >= 2 and fields[0].strip():
                text = fields[2] if len(fields) > 2 and fields[2].strip() else fields[1]
                yield _Row(label(fields[0].strip()), Line(_clean(text)))
            elif line.strip():
                self._notices.add("unreadable_row", name)


class _Index:
    """The audio files by every way a row may name them."""

    def __init__(self, audio_names: Sequence[str]) -> None:
        self._ways: list[dict[str, list[str]]] = [defaultdict(list) for _ in range(4)]
        for name in audio_names:
            for way, key in zip(self._ways, (name, stem(name), base(name), base(stem(name))), strict=True):
                way[key].append(name)

    def find(self, key: str) -> tuple[int, list[str]]:
        """Return how close the match is (0 is exact) and the names that match."""
        tries = (key, key, base(key), base(key))
        for rank, (way, tried) in enumerate(zip(self._ways, tries, strict=True)):
            if tried in way:
                return rank, way[tried]
        for rank, (way, tried) in enumerate(((self._ways[1], stem(key)), (self._ways[3], base(stem(key)))), start=4):
            if tried in way:  # another extension: metadata names x.wav, the person sent x.opus
                return rank, way[tried]
        return 6, []


def _has_header(content: str) -> bool:
    try:
        return "file_name" in next(csv.reader([content.partition("\n")[0].strip()]), [])
    except csv.Error:
        return False


def _clean(text: str) -> str | None:
    """Return the text on one line without control characters, or None where nothing is left."""
    printable = "".join(c if c.isprintable() else " " for c in unicodedata.normalize("NFC", text))
    return " ".join(printable.split()) or None

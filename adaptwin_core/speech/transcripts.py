"""Finds what is said in which file: sidecar texts, LJSpeech metadata.csv, Hugging Face metadata.csv or .jsonl."""

import csv
import io
import json
import unicodedata
from collections.abc import Iterator

from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.speech.claims import SPLITS, Claim, Line
from adaptwin_core.speech.notices import Notices
from adaptwin_core.speech.sources import base, label, stem

_TEXT_COLUMNS = ("transcription", "text", "sentence", "transcript")
_METADATA_NAMES = frozenset({"metadata.csv", "metadata.jsonl"})

_Row = tuple[str, Line]  # how it names its file, and what it says of it


def is_transcript(name: str) -> bool:
    """Tell by its label whether a file that is not audio is to be read for transcripts."""
    return name.lower().endswith(".txt") or base(name).lower() in _METADATA_NAMES


class Transcripts:
    """Collects what transcript files say of recordings, in the order they are read."""

    def __init__(self, notices: Notices) -> None:
        self._notices = notices
        self.claims: list[Claim] = []

    def add_file(self, name: str, data: bytes) -> None:
        """Read one transcript file.

        Raises:
            InvalidAudio: transcript_encoding or transcript_form.
        """
        try:
            content = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise InvalidAudio("it is not UTF-8 text; save it as UTF-8", code="transcript_encoding") from error
        folder = name[: -len(base(name))].rstrip("/")
        if base(name).lower() not in _METADATA_NAMES:
            line = Line(_clean(content))
            self.claims.append(Claim(base(stem(name)), folder, line, place=name, is_sidecar=True))
            return
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
        self.claims += (Claim(key, folder, line, place=name, is_sidecar=False) for key, line in rows)

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
        split = SPLITS.get(given.strip().lower()) if isinstance(given, str) else None
        if isinstance(given, str) and given.strip() and split is None:
            self._notices.add("unknown_split", given.strip()[:40])
        return label(key.strip()), Line(_clean(text), split)

    def _ljspeech_rows(self, name: str, content: str) -> Iterator[_Row]:
        for line in content.split("\n"):
            fields = line.split("|")  # no quoting: a quotation mark in LJSpeech is part of the text
            if len(fields) >= 2 and fields[0].strip():
                text = fields[2] if len(fields) > 2 and fields[2].strip() else fields[1]
                yield label(fields[0].strip()), Line(_clean(text))
            elif line.strip():
                self._notices.add("unreadable_row", name)


def _has_header(content: str) -> bool:
    try:
        return "file_name" in next(csv.reader([content.partition("\n")[0].strip()]), [])
    except csv.Error:
        return False


def _clean(text: str) -> str | None:
    """Return the text on one line without control characters, or None where nothing is left."""
    printable = "".join(c if c.isprintable() else " " for c in unicodedata.normalize("NFC", text))
    return " ".join(printable.split()) or None

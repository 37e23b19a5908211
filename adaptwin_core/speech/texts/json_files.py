"""Reads JSON: manifests with an object a line (NeMo, Hugging Face), arrays, and the output of recognizers."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.speech.texts import columns
from adaptwin_core.speech.texts.readings import Entry, Reading, TextFile
from adaptwin_core.speech.texts.recording_names import RecordingNames
from adaptwin_core.speech.texts.table_fields import lines_of
from adaptwin_core.speech.texts.table_files import read_rows
from adaptwin_core.speech.texts.tables import Row
from adaptwin_core.speech.texts.timed_text import without_marks

_MAX_COLUMNS = 64
_KNOWN_COLUMNS = frozenset((*columns.FILE_NAMES, *columns.TEXT_NAMES, *columns.SPLIT_NAMES, *columns.START_NAMES))


def read(file: TextFile, recordings: RecordingNames) -> Reading:
    """Read a JSON file.

    Raises:
        InvalidAudio: transcript_form: it has no transcripts in a known form.
    """
    whole = _parsed(file.text)
    if whole is None:
        return _read_lines(file, recordings)
    if isinstance(whole, dict):
        return _read_object(file, whole, recordings)
    if isinstance(whole, list):
        return _read_items(file, [*enumerate(whole, start=1)], recordings)
    raise _no_transcript()


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _read_lines(file: TextFile, recordings: RecordingNames) -> Reading:
    numbered = [(number, _parsed(line)) for number, line in enumerate(lines_of(file.text), start=1) if line.strip()]
    if not any(isinstance(item, dict) for _, item in numbered):
        raise _no_transcript()
    return _read_items(file, numbered, recordings)


def _read_items(file: TextFile, numbered: Sequence[tuple[int, Any]], recordings: RecordingNames) -> Reading:
    """Read objects that each name a recording, or that are the timed parts of one."""
    objects = [(number, item) for number, item in numbered if isinstance(item, dict)]
    bad = tuple(number for number, item in numbered if not isinstance(item, dict))
    if not objects:
        raise _no_transcript()
    names = {key: None for _, item in objects for key in item if columns.plain_name(key) in _KNOWN_COLUMNS}
    names |= dict.fromkeys(key for key in [*objects[0][1]][:_MAX_COLUMNS])
    header = list(names)[: 2 * _MAX_COLUMNS]
    rows = [Row(number, tuple(_field(item.get(key)) for key in header)) for number, item in objects]
    if not {columns.plain_name(key) for key in header} & set(columns.TEXT_NAMES):
        raise _no_transcript()
    reading = read_rows(file, header, rows, recordings, "the keys of JSON objects")
    return replace(reading, bad_lines=tuple(sorted(bad + reading.bad_lines)))


def _read_object(file: TextFile, item: Mapping[str, Any], recordings: RecordingNames) -> Reading:
    segments = next(
        (item[key] for key in ("segments", "transcription", "chunks") if _are_segments(item.get(key))), None
    )
    if segments is not None:
        said = without_marks([str(segment["text"]).strip() for segment in segments])
        return _of_whole_file(file, said, "a recognizer's JSON, read without times")
    names = {columns.plain_name(key) for key in item}
    named = _field(_first_file(item))
    is_of_one = file.stem in recordings and (named or "") not in recordings and isinstance(item.get("text"), str)
    if names & set(columns.FILE_NAMES) and names & set(columns.TEXT_NAMES) and named and not is_of_one:
        return _read_items(file, [(1, item)], recordings)
    if isinstance(item.get("text"), str):
        return _of_whole_file(file, item["text"], "the text of a JSON object")
    lists = [value for value in item.values() if isinstance(value, list) and value and isinstance(value[0], dict)]
    if len(lists) == 1:
        return _read_items(file, [*enumerate(lists[0], start=1)], recordings)
    if 2 * sum(key in recordings for key in item) > len(item):
        pairs = [
            {"file_name": key, **value} if isinstance(value, dict) else {"file_name": key, "text": value}
            for key, value in item.items()
        ]
        return _read_items(file, [*enumerate(pairs, start=1)], recordings)
    raise _no_transcript()


def _are_segments(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(v, dict) and isinstance(v.get("text"), str) for v in value)
    )


def _of_whole_file(file: TextFile, text: str, note: str) -> Reading:
    return Reading((Entry(file.stem, text, None, 0),), "json", note, is_sidecar=True)


def _first_file(item: Mapping[str, Any]) -> Any:
    return next((value for key, value in item.items() if columns.plain_name(key) in columns.FILE_NAMES), None)


def _field(value: Any) -> str | None:
    if isinstance(value, dict):  # Hugging Face's audio: {"path": …, "array": …}
        value = value.get("path")
    if isinstance(value, bool):
        return None
    return str(value).strip() if isinstance(value, str | int | float) else None


def _no_transcript() -> InvalidAudio:
    return InvalidAudio(
        'it holds no transcripts in a known form, such as {"audio_filepath": "a.wav", "text": "…"} a line',
        code="transcript_form",
    )

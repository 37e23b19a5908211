"""Reads a table of recordings and texts: its delimiter, its header, its columns, and then its rows."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from adaptwin_core.speech.texts import columns
from adaptwin_core.speech.texts.column_choice import choose_columns, unclear
from adaptwin_core.speech.texts.columns import Columns
from adaptwin_core.speech.texts.readings import Entry, Reading, TextFile
from adaptwin_core.speech.texts.recording_names import RecordingNames
from adaptwin_core.speech.texts.table_fields import lines_of
from adaptwin_core.speech.texts.table_form import form_by_names, form_of
from adaptwin_core.speech.texts.tables import Row, read_table

_WORDS = {"\t": "tabs", "|": "pipes", ";": "semicolons", ",": "commas"}
# Common Voice's lists of clips with a wrong text, and lists of other things.
_NOT_TAUGHT = frozenset(
    {
        *("invalidated", "invalidated_sentences", "reported", "clip_durations"),
        *("other_sentences", "unvalidated_sentences", "validated_sentences"),
    }
)


def read(file: TextFile, recordings: RecordingNames) -> Reading:
    """Read a table.

    Raises:
        InvalidAudio: transcript_form: it is no table, or its columns are in doubt.
    """
    lines = lines_of(file.text)
    if lines and lines[0].strip().casefold().startswith("sep=") and len(lines[0].strip()) == len("sep=;"):
        lines[0] = ""  # a line with which spreadsheets give the delimiter
    delimiter, has_header = form_of(lines, recordings)
    if delimiter is None:
        raise unclear("it is no table of recordings and texts")
    table = read_table(lines, delimiter, has_header=has_header)
    if not table.rows or (has_header and len(table.rows) == 1 and not table.bad_lines):
        raise unclear("it holds no rows")
    header = table.rows[0].fields if has_header else None
    reading = read_rows(file, header, table.rows[1:] if has_header else table.rows, recordings, _WORDS[delimiter])
    return replace(reading, bad_lines=tuple(sorted(table.bad_lines + reading.bad_lines)))


def is_table(file: TextFile, recordings: RecordingNames, *, is_of_one: bool) -> bool:
    """Tell whether a plain text file is a table of recordings.

    Args:
        is_of_one: it is named like a recording, so its commas and semicolons belong to sentences.
    """
    lines = lines_of(file.text)
    delimiter, has_header = form_by_names(lines, recordings)
    if delimiter is None:
        return False
    firsts = [line.partition(delimiter)[0].strip() for line in lines if line.strip()]
    if is_of_one and (delimiter in ",;" or not all(first in recordings for first in firsts)):
        return False
    return len(firsts) > 1 or (not has_header and (not is_of_one or firsts[0] in {file.stem, *file.stem.split(".")}))


def read_rows(
    file: TextFile, header: Sequence[str | None] | None, rows: Sequence[Row], recordings: RecordingNames, between: str
) -> Reading:
    """Read rows of which the header, if any, is known.

    Args:
        between: name of the delimiter, for the note.

    Raises:
        InvalidAudio: transcript_form: its columns are in doubt.
    """
    if header is not None and file.stem.casefold() in _NOT_TAUGHT:
        return Reading((), "not_taught", "Common Voice's list of clips that are not for training; it is not used")
    chosen, how = choose_columns(header, rows, recordings)
    if chosen is None:
        return _timed(file, rows, header)
    entries: list[Entry] = []
    bad: list[int] = []
    for row in rows:
        key, texts = _field(row, chosen.file), [_field(row, i) for i in chosen.texts]
        if not key or all(i >= len(row.fields) for i in chosen.texts):
            bad.append(row.number)
            continue
        text = next((text for text in texts if text), next((text for text in texts if text is not None), None))
        split = _field(row, chosen.split) if chosen.split is not None else None
        entries.append(Entry(key, text, split, row.number))
    pieces = _pieces(rows, entries, chosen)
    whole = tuple(line for line in entries if line.number not in pieces)
    note = f"a table parted by {between}, {'with a' if header else 'without'} header: {how}"
    return Reading(whole, "table", note, tuple(bad), tuple(sorted(pieces)))


def _field(row: Row, column: int) -> str | None:
    return row.fields[column] if column < len(row.fields) else None


def _pieces(rows: Sequence[Row], entries: Sequence[Entry], chosen: Columns) -> set[int]:
    """Return the numbers of rows that have the words of a part of a recording only."""
    if chosen.start is None:
        return set()
    starts = {row.number: _field(row, chosen.start) for row in rows}
    count = Counter(line.key for line in entries)
    return {line.number for line in entries if count[line.key] > 1 or _seconds(starts.get(line.number)) > 0}


def _seconds(field: str | None) -> float:
    try:
        return float((field or "0").replace(",", "."))
    except ValueError:
        return 0.0


def _timed(file: TextFile, rows: Sequence[Row], header: Sequence[str | None] | None) -> Reading:
    """Read the rows of one recording's timed text: start, end and words."""
    column = next(i for i, field in enumerate(header or ()) if columns.plain_name(field) in columns.TEXT_NAMES)
    text = " ".join(_field(row, column) or "" for row in rows)
    return Reading(
        (Entry(file.stem, text, None, 0),),
        "timed_text",
        "a table of times and words, read without times",
        is_sidecar=True,
    )

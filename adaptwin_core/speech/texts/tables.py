"""The rows of a table, each with its line number. A damaged row costs itself and no other."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from adaptwin_core.speech.texts.table_fields import fields_of, shape


class Row(NamedTuple):
    """One row; `fields` are stripped, and None where a JSON file says null or nothing."""

    number: int  # of its first line, from 1
    fields: tuple[str | None, ...]


@dataclass(frozen=True)
class Table:
    """Rows of one width each, and the numbers of the lines that could not be read."""

    rows: tuple[Row, ...]
    bad_lines: tuple[int, ...]


def read_table(lines: Sequence[str], delimiter: str, *, has_header: bool) -> Table:
    """Return the rows of a table. No row is wider than the header or, without one, than most rows are."""
    cut = fields_of(lines, delimiter, has_header=has_header)
    width = _usual_width([fields for _, fields in cut if fields], has_header=has_header)
    rows: list[Row] = []
    bad: list[int] = []
    for number, fields in cut:
        kept = _trimmed(fields, width) if fields else None
        if kept is None or len(kept) > width:
            bad.append(number)
        elif len(kept) < 2 and width > 1:
            if len(rows) > has_header and _is_cut_short(rows[-1], number, kept[0], width):
                bad.append(rows.pop().number)
            bad.append(number)
        else:
            rows.append(Row(number, kept))
    return Table(tuple(rows), tuple(bad))


def _is_cut_short(row: Row, next_number: int, rest: str, width: int) -> bool:
    """Tell whether a line without delimiter is the rest of the row before it, because its text had a line end."""
    follows = row.number == next_number - 1 and shape(rest) != shape(row.fields[0] or "")
    return follows and (len(row.fields) < width or bool(row.fields[-1]))


def _usual_width(rows: Sequence[tuple[str, ...]], *, has_header: bool) -> int:
    if not rows:
        return 0
    if has_header:
        return len(rows[0])
    counts = Counter(len(row) for row in rows)
    return max(counts, key=lambda width: (counts[width], width))


def _trimmed(fields: tuple[str, ...], width: int) -> tuple[str, ...]:
    """Drop empty fields past the usual width: a delimiter at a line's end says nothing."""
    while len(fields) > width and not fields[-1]:
        fields = fields[:-1]
    return fields

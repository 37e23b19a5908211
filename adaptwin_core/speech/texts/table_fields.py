"""Cuts the lines of a table into fields: delimiters, quotes, and commas that belong to a sentence."""

import csv
import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence

_SAMPLE_LINES = 200
_MAX_COLUMNS = 1000  # a row of more is damage
_QUOTED = re.compile(r'(?:^|[\t|])"(?:[^"]|"")*"(?=[\t|]|$)')

Cut = tuple[int, tuple[str, ...] | None]  # a row's line number and fields; None where the row is damaged


def lines_of(text: str) -> list[str]:
    """Return the lines of a text, whichever of LF, CRLF and CR ends them."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def sample_fields(lines: Sequence[str], delimiter: str) -> list[tuple[str, ...]]:
    """Return the fields of the first lines that hold anything, cut at every delimiter."""
    filled = itertools.islice((line for line in lines if line.strip()), _SAMPLE_LINES)
    return [tuple(part.strip().strip('"').strip() for part in line.split(delimiter, _MAX_COLUMNS)) for line in filled]


def fields_of(lines: Sequence[str], delimiter: str, *, has_header: bool) -> list[Cut]:
    """Return the fields of each row, stripped.

    With commas and semicolons, a field may be quoted, and may then hold delimiters, line ends and doubled quotes. With
    pipes and tabs, a quotation mark mostly belongs to the text, so fields count as quoted only if any has doubled ones.

    If most commas (or semicolons) of a table have no space behind them, one with a space belongs to a sentence. In a
    table without header it is kept in the text. With a header it damages the row, unless the header has such a column.
    """
    is_quoted = delimiter in ",;" or _doubles_quotes(lines)
    cut = list(_cut(lines, delimiter, is_quoted=is_quoted))
    if delimiter in ",;" and _is_tight(lines, delimiter):
        cut = _with_sentences(cut, lines, delimiter, has_header=has_header)
    return [(number, tuple(field.strip() for field in fields) if fields else None) for number, fields in cut]


def _cut(lines: Sequence[str], delimiter: str, *, is_quoted: bool) -> Iterator[Cut]:
    """Yield each row's line number and fields; None where its quotes do not fit."""
    i = 0
    while i < len(lines):
        if not lines[i].strip():
            i += 1
            continue
        if not is_quoted or '"' not in lines[i]:
            is_row = lines[i].count(delimiter) < _MAX_COLUMNS
            yield i + 1, tuple(lines[i].split(delimiter)) if is_row else None
            i += 1
            continue
        following = (lines[k] + "\n" for k in range(i, len(lines)))
        reader = csv.reader(following, delimiter=delimiter, strict=True, skipinitialspace=True)
        try:
            fields = next(reader)
        except csv.Error:  # an unclosed quote, or text after a closing one: the next line begins a new row
            yield i + 1, None
            i += 1
            continue
        inner = lines[i + 1 : i + reader.line_num]
        if any(_begins_a_row(line, delimiter, fields[0]) for line in inner):
            yield i + 1, None
            i += 1
        else:
            yield i + 1, tuple(fields)
            i += reader.line_num


def _is_tight(lines: Sequence[str], delimiter: str) -> bool:
    """Tell whether most rows have a delimiter with no space behind it."""
    filled = [*itertools.islice((line for line in lines if line.strip()), _SAMPLE_LINES)]
    tight = re.compile(rf"{delimiter}(?!\s)")
    return 2 * sum(bool(tight.search(line)) for line in filled) > len(filled)


def _with_sentences(cut: Sequence[Cut], lines: Sequence[str], delimiter: str, *, has_header: bool) -> list[Cut]:
    """Join fields that a comma in a sentence separated or, under a header, mark their rows as damaged."""
    spaced = Counter(i for _, fields in cut for i, field in enumerate(fields or ()) if i and field[:1] == " ")
    usual = {i for i, count in spaced.items() if 2 * count > len(cut)} if has_header else set[int]()
    joined: list[Cut] = [*cut[:1]] if has_header else []
    for number, fields in cut[len(joined) :]:
        places = [i for i, field in enumerate(fields or ()) if i and field[:1] == " " and field.strip()]
        if not fields or '"' in lines[number - 1] or usual.issuperset(places):
            joined.append((number, fields))
        elif has_header:
            joined.append((number, None))
        else:
            begins = [i for i in range(len(fields)) if i not in places]
            ends = [*begins[1:], len(fields)]
            joined.append((number, tuple(delimiter.join(fields[a:b]) for a, b in zip(begins, ends, strict=True))))
    return joined


def _begins_a_row(line: str, delimiter: str, first_key: str) -> bool:
    """Tell whether a line inside a quoted field is a row of its own, so that the quote before it was never closed."""
    key, found, _ = line.partition(delimiter)
    return bool(found) and shape(key) == shape(first_key)


def shape(key: str) -> str:
    """Return the pattern of a name: that of `LJ001-0002` and `LJ050-0278` is the same."""
    return re.sub(r"\d+", "0", re.sub(r"[^\W\d_]+", "a", key.strip().strip('"')))


def _doubles_quotes(lines: Sequence[str]) -> bool:
    """Tell whether quotes in a pipe or tab table were written by a program that doubles them."""
    with_quotes = [line for line in lines if '"' in line]
    quoted = [match.group() for line in with_quotes for match in _QUOTED.finditer(line)]
    return any('""' in field.strip('\t|"') for field in quoted)

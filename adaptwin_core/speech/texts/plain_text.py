"""Recognizes in a plain text what nobody says: times, markup, headers of tables, sounds of a language.

It is the last look at what is in none of the forms that are read. What is taught wrong is not noticed, so it refuses.
"""

import itertools
import re
from collections.abc import Sequence

from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.speech.texts import columns
from adaptwin_core.speech.texts.table_fields import lines_of
from adaptwin_core.speech.texts.value_kinds import is_phonetic

_HEAD_CHARS = 200
_OTHER_FORM = re.compile(
    r"\s*(?:\{\\rtf|<\?xml|<!doctype|<html|<tt\b|<transcript|%PDF|File type\s*=|Object class\s*=|\[Script Info\]"
    r"|@Begin\b|@UTF8|separator ;|[\[{]\s*[\[{]?\s*['\"]\w+['\"]\s*:|\{\d+\}\{\d+\}|TITLE:.*\n+\d{3} )",
    re.IGNORECASE,
)
_MARKUP = re.compile(r"</[A-Za-z][\w:]{0,20}\s*>|<br\s*/?>|https?://\S")
_PRECISE = re.compile(
    r"(?<![\d:.,])\d{1,3}:\d{1,2}:\d{1,2}(?![\d:]*:\D)|(?<![\d:.,])\d{1,2}:\d{2}[.,]\d{3}\b"
)  # hours, minutes and seconds
_IN_BRACKETS = re.compile(
    r"[\[#{<]\s*\d{1,3}:\d{2}\b|[\[({<]\s*\d+(?:[.,]\d+)?\s*s?\s*(?:-+>|→|[-–,;])\s*\d+(?:[.,]\d+)?\s*s?\s*[\])}>]"
)
_IN_PARENTHESES = re.compile(r"\(\s*\d{1,3}:\d{2}(?:[.,]\d+)?\s*\)")
_AT_A_START = re.compile(  # of a line or a sentence, behind a speaker's name, or alone with it
    r"(?:^|[.?!…。？！|।؟][\"'”»]?\s+)(?:\S.{0,40}?(?::|\t|\s\s)\s*)?(\d{1,3}:[0-5]\d)(?=[\s:;,.\-–]|$)"
    r"|^\S.{0,40}?\s(\d{1,3}:[0-5]\d)\s*$",
    re.MULTILINE,
)
_SPAN = re.compile(
    r"\s*[\[(]?(\d+(?:[.,]\d+)?)\s*(s?)\s*(-+>|→|[-–,;|\t ])\s*(\d+(?:[.,]\d+)?)\s*s?\s*(?:[\]):;,|\t ]|$)"
)
_POINT = re.compile(r"\s*(\d+[.,]\d+)\s*(?:s\b)?[:;,|\t ]\s*\D")
_TWO_POINTS = re.compile(r"(?<!\S)\d+[.,]\d+\s+\d+[.,]\d+(?!\S)")
_AFTER_IDS = re.compile(r"\s*(?:\S+\s+){2,4}\d+[.,]\d+\s+\d+[.,]\d+(?!\S)")  # a recording, a channel, a speaker
_UNITS = re.compile(
    r"\s*[\[(]?(?:\d+\s*(?:h|hrs?|時間|小时|시간)\s*)?\d+\s*(?:m|min|分钟?|분)\s*\d+\s*(?:s|secs?|秒|초)", re.IGNORECASE
)
_FULL_CONTEXT = re.compile(r"(?<!\S)[^\s^]{1,20}\^[^\s-]{1,20}-[^\s+]{1,20}\+[^\s=]{1,20}=")  # labels of HTS
_MIN_SOUNDS = 4
_CELLS = re.compile(r"[\t|;,]")
_TIME_NAMES = frozenset({*columns.START_NAMES, *columns.END_NAMES, "tmin", "tmax", "xmin", "xmax", "in", "out", "tier"})
_COLUMN_NAMES = frozenset(
    {*columns.FILE_NAMES, *columns.TEXT_NAMES, *columns.SPLIT_NAMES, *columns.OTHER_NAMES, *_TIME_NAMES}
)


def require_words(text: str) -> None:
    """Raise unless a text, which is in no timed form, may be what somebody said.

    Raises:
        InvalidAudio: timed_text, or transcript_form where there is something else than times.
    """
    filled = [line for line in lines_of(text) if line.strip()]
    if _OTHER_FORM.match(text[:_HEAD_CHARS]) or _MARKUP.search(text):
        raise _not_words("it holds markup or a form that is not read")
    if _is_header(filled):
        raise _not_words("it is a table that names no recordings")
    if _tells_times(text, filled):
        raise InvalidAudio(
            "it looks like timed text, and is in no form that is read; send the words without times", code="timed_text"
        )
    if _FULL_CONTEXT.search(text) or (len(text.split(None, _MIN_SOUNDS)) >= _MIN_SOUNDS and is_phonetic(text)):
        raise _not_words("it gives sounds and not words")


def _tells_times(text: str, filled: Sequence[str]) -> bool:
    if _PRECISE.search(text) or _IN_BRACKETS.search(text) or len(_IN_PARENTHESES.findall(text)) > 1:
        return True
    clocks = [_seconds(match[1] or match[2]) for match in _AT_A_START.finditer(text)]
    if any(a < 60 and a <= b for a, b in itertools.pairwise(clocks)):
        return True
    if all(map(_TWO_POINTS.search if len(filled) > 1 else _AFTER_IDS.match, filled)):
        return True
    spans = [match for line in filled if (match := _SPAN.match(line))]
    if len(spans) == len(filled) > 0 and all(_number(span[1]) <= _number(span[4]) for span in spans):
        is_marked = any(span[2] or len(span[3]) > 1 or span[3] == "→" for span in spans)
        if is_marked or (len(spans) > 1 and any(re.search(r"\d[.,]\d", span[1] + " " + span[4]) for span in spans)):
            return True
    if len(filled) < 2:
        return False
    points = [_number(match[1]) for line in filled if (match := _POINT.match(line))]
    return (len(points) == len(filled) and _is_rising(points)) or all(map(_UNITS.match, filled))


def _is_header(filled: Sequence[str]) -> bool:
    """Tell whether the first of several lines names columns, of which one tells times."""
    if len(filled) < 2 or len(filled[0]) > _HEAD_CHARS:
        return False
    cells = [columns.plain_name(cell.strip().strip('"')) for cell in _CELLS.split(filled[0])]
    known = [cell for cell in cells if cell in _COLUMN_NAMES]
    return len(cells) > 2 and 2 * len(known) >= len(cells) and bool(_TIME_NAMES & set(known))


def _is_rising(numbers: Sequence[float]) -> bool:
    return all(a <= b for a, b in itertools.pairwise(numbers))


def _seconds(clock: str) -> int:
    minutes, _, seconds = clock.partition(":")
    return 60 * int(minutes) + int(seconds)


def _number(text: str) -> float:
    return float(text.replace(",", "."))


def _not_words(what: str) -> InvalidAudio:
    return InvalidAudio(f"{what}; send the words that are said as plain text", code="transcript_form")

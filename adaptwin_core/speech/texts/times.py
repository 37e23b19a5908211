"""How times are written in a text, whichever form the text has, and whether a text tells any.

A clock is `1:02:03.456`, `02:03` or `02:03,4`. A number, of seconds or samples, is `7`, `7.25` or `7,25`. A span is two
of either with an arrow, a dash, a comma or a space between them.
"""

import itertools
import re
from collections.abc import Sequence

from adaptwin_core.domain.errors import InvalidAudio

CLOCK = r"(?:\d{1,3}:)?\d{1,2}:\d{2}(?:[.,]\d{1,3})?"
DECIMAL = r"\d+[.,]\d+"
NUMBER = r"\d+(?:[.,]\d+)?"

_ARROW = r"-+>|→"
_TO = rf"(?:{_ARROW}|[-–,;])"
_MINUTE = r"\d{1,3}:\d{2}"  # and second
_SENTENCE_END = r"[.?!…。？！|।؟]"
_SPEAKER = r"\S.{0,40}?"

_FIRST_MINUTE = re.compile(r"(?<![\d:])(?:0?0:)?0?0:[0-5]\d(?![\d:])")
_SUBTITLE_TIME = re.compile(r"\b\d{1,2}:\d{2}:\d{2}[.,]\d{1,3}\b|-->")
_PRECISE = re.compile(  # hours, minutes and seconds, or minutes, seconds and their thousandths
    r"(?<![\d:.,])\d{1,3}:\d{1,2}:\d{1,2}(?![\d:]*:\D)|(?<![\d:.,])\d{1,2}:\d{2}[.,]\d{3}\b"
)
_IN_BRACKETS = re.compile(rf"[\[#{{<]\s*{_MINUTE}\b|[\[({{<]\s*{NUMBER}\s*s?\s*{_TO}\s*{NUMBER}\s*s?\s*[\])}}>]")
_IN_PARENTHESES = re.compile(rf"\(\s*{_MINUTE}(?:[.,]\d+)?\s*\)")
_AT_A_START = re.compile(  # of a line or a sentence, behind a speaker's name, or alone with it
    rf"(?:^|{_SENTENCE_END}[\"'”»]?\s+)(?:{_SPEAKER}(?::|\t|\s\s)\s*)?(\d{{1,3}}:[0-5]\d)(?=[\s:;,.\-–]|$)"
    rf"|^{_SPEAKER}\s(\d{{1,3}}:[0-5]\d)\s*$",
    re.MULTILINE,
)
_SPAN = re.compile(rf"\s*[\[(]?({NUMBER})\s*(s?)\s*({_ARROW}|[-–,;|\t ])\s*({NUMBER})\s*s?\s*(?:[\]):;,|\t ]|$)")
_POINT = re.compile(rf"\s*({DECIMAL})\s*(?:s\b)?[:;,|\t ]\s*\D")
_TWO_POINTS = re.compile(rf"(?<!\S){DECIMAL}\s+{DECIMAL}(?!\S)")
_AFTER_IDS = re.compile(rf"\s*(?:\S+\s+){{2,4}}{DECIMAL}\s+{DECIMAL}(?!\S)")  # a recording, a channel, a speaker
_UNITS = re.compile(
    r"\s*[\[(]?(?:\d+\s*(?:h|hrs?|時間|小时|시간)\s*)?\d+\s*(?:m|min|分钟?|분)\s*\d+\s*(?:s|secs?|秒|초)", re.IGNORECASE
)


def number(text: str) -> float:
    """Return the value of a number, whichever of point and comma it has."""
    return float(text.replace(",", "."))


def has_first_minute(text: str) -> bool:
    """Tell whether a clock of the first minute stands in a text, such as 0:07: with such a time recordings begin."""
    return bool(_FIRST_MINUTE.search(text))


def has_subtitle_time(line: str) -> bool:
    """Tell whether a line has an arrow or a clock with hours and a fraction, which only forms of timed text have."""
    return bool(_SUBTITLE_TIME.search(line))


def tells_times(text: str, filled: Sequence[str]) -> bool:
    """Tell whether a text that is in no timed form has times that nobody says.

    Args:
        filled: the lines of the text that are not empty.
    """
    if _PRECISE.search(text) or _IN_BRACKETS.search(text) or len(_IN_PARENTHESES.findall(text)) > 1:
        return True
    clocks = [_seconds(match[1] or match[2]) for match in _AT_A_START.finditer(text)]
    if any(a < 60 and a <= b for a, b in itertools.pairwise(clocks)):
        return True
    if all(map(_TWO_POINTS.search if len(filled) > 1 else _AFTER_IDS.match, filled)) or _are_spans(filled):
        return True
    if len(filled) < 2:
        return False
    points = [number(match[1]) for line in filled if (match := _POINT.match(line))]
    return (len(points) == len(filled) and _is_rising(points)) or all(map(_UNITS.match, filled))


def timed_text_refused(what: str) -> InvalidAudio:
    """Return the refusal of a text whose times cannot be told from its words."""
    return InvalidAudio(f"{what}; send the words without times", code="timed_text")


def _are_spans(filled: Sequence[str]) -> bool:
    """Tell whether every line begins with a span, and these are no pairs of plain numbers that somebody said."""
    spans = [match for line in filled if (match := _SPAN.match(line))]
    if len(spans) < len(filled) or not filled or any(number(span[1]) > number(span[4]) for span in spans):
        return False
    if any(span[2] or len(span[3]) > 1 or span[3] == "→" for span in spans):
        return True
    return len(spans) > 1 and any(re.search(r"\d[.,]\d", span[1] + " " + span[4]) for span in spans)


def _seconds(clock: str) -> int:
    minutes, _, seconds = clock.partition(":")
    return 60 * int(minutes) + int(seconds)


def _is_rising(numbers: Sequence[float]) -> bool:
    """Tell whether no number is below the one before it, as the times of a recording are not."""
    return all(a <= b for a, b in itertools.pairwise(numbers))

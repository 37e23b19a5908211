"""Reads text with times (subtitles, labels, lyrics, recognizers' output) and returns its words without them."""

import html
import re
from collections.abc import Sequence

from adaptwin_core.speech.texts.cues import read_cues
from adaptwin_core.speech.texts.table_fields import lines_of
from adaptwin_core.speech.texts.times import (
    CLOCK,
    NUMBER,
    has_first_minute,
    has_subtitle_time,
    number,
    timed_text_refused,
)

_BRACKETED = re.compile(rf"\s*[\[(]\s*{CLOCK}\s*(?:(?:-->|->|-|–|to)\s*{CLOCK}\s*)?[\])]:?\s*(.*)")
_TAG_OF_LYRICS = re.compile(r"\s*\[(?:ar|ti|al|au|by|re|ve|la|offset|length|id|tool|#)\s*:.*\]\s*", re.IGNORECASE)
_LABEL = re.compile(rf"\s*({NUMBER})(\t|\s+)({NUMBER})(?:\2\s*(.*)|\s*)")
_CLOCK_ALONE = re.compile(rf"\s*{CLOCK}\s*")
_CLOCK_FIRST = re.compile(rf"\s*({CLOCK})\s*(?:[-–:|]\s*|\s)(\D.*)")
_SPEAKER_AND_CLOCK = re.compile(rf"\s*\S.{{0,40}}?\s+[\[(]?{CLOCK}[\])]?\s*")
_MIN_SAMPLES = 1000  # a recording of words has more samples than this
_INLINE_TAG = re.compile(r"<[^<>]{0,200}>|\{\\[^{}]{0,200}\}")
_INLINE_CLOCK = re.compile(rf"<{CLOCK}>")
_SPEAKER = re.compile(r"^(?:-\s+|>>+\s*)?(?:\[?SPEAKER[_ ]?\d+\]?\s*:|[A-Z][A-Z .'\d]{1,24}:(?=\s|$))?\s*")
_NAME = re.compile(r"([^\W\d_][\w.'’ -]{0,40}):\s+")
_LENGTH_IN_WORDS = re.compile(r"\d+\s*[^\W\d]+\.?(?:,?\s+(?:\w+\s+)?\d+\s*[^\W\d]+\.?)?\s*")  # 1 minute, 7 seconds
_SOUND = re.compile(r"\[[^\[\]]*\]|♪+|♫+")
_SOUND_ALONE = re.compile(r"\([^()]*\)")


def read_timed(text: str, *, must_be: bool = False) -> str | None:
    """Return the words of a timed text in their order; None where `text` has no times and need have none.

    Raises:
        InvalidAudio: timed_text: some of it has times, and the rest cannot be read so.
    """
    lines = lines_of(text)
    filled = [line for line in lines if line.strip()]
    if not filled:
        return None
    for words in (read_cues(lines), _bracketed(filled), _labels(filled), _clocks(filled)):
        if words is not None:
            spoken = without_marks(words)
            if not spoken:
                raise timed_text_refused("it has times, and no words")
            if has_first_minute(spoken):
                raise timed_text_refused("there are times among its words")
            return spoken
    if must_be or any(has_subtitle_time(line) for line in filled):
        raise timed_text_refused("it looks like timed text, and is in no form that is read")
    return None


def without_marks(lines: Sequence[str]) -> str:
    """Return what is said, without tags, speakers' names, sounds in brackets and lines that roll on to the next cue."""
    is_rolling = any(_INLINE_CLOCK.search(line) for line in lines)
    said: list[str] = []
    for plain in _without_names([html.unescape(_INLINE_TAG.sub("", line)).strip() for line in lines]):
        words = " ".join(_SOUND.sub(" ", _SPEAKER.sub("", plain, count=1)).split())
        if _SOUND_ALONE.fullmatch(words) or (is_rolling and said and said[-1] == words):
            continue
        if words:
            said.append(words)
    return " ".join(said)


def _without_names(lines: Sequence[str]) -> list[str]:
    """Leave out speakers' names where all lines begin with one, or half of them and one comes back."""
    named = [match[1] for line in lines if (match := _NAME.match(line))]
    num_filled = sum(bool(line) for line in lines)
    is_repeated = len(set(named)) < len(named) and 2 * len(named) >= num_filled
    is_dialogue = len(named) > 1 and (len(named) == num_filled or is_repeated)
    return [_NAME.sub("", line) for line in lines] if is_dialogue else list(lines)


def _bracketed(filled: Sequence[str]) -> list[str] | None:
    """Read `[00:00.000 --> 00:03.400]  words` and `[00:12.30] words`."""
    matches = [_BRACKETED.fullmatch(line) for line in filled]
    if not any(matches):
        return None
    if not all(match or _TAG_OF_LYRICS.fullmatch(line) for match, line in zip(matches, filled, strict=True)):
        raise timed_text_refused("some lines begin with a time, others do not")
    return [match[1] for match in matches if match]


def _labels(filled: Sequence[str]) -> list[str] | None:
    """Read Audacity's labels, and TIMIT's lines of two sample numbers and words."""
    filled = [line for line in filled if not line.startswith("\\")]  # frequencies of the label above
    matches = [match for line in filled if (match := _LABEL.fullmatch(line))]
    times = [(number(match[1]), number(match[3])) for match in matches]
    are_times = all(start <= end for start, end in times) and times == sorted(times)
    by_tabs = all(match[2] == "\t" for match in matches)
    if not matches or not are_times or not (by_tabs or _are_times(matches)) or not any(match[4] for match in matches):
        return None
    if len(matches) < len(filled):
        if by_tabs and 2 * len(matches) >= len(filled):
            raise timed_text_refused("some lines begin with times, others do not")
        return None
    return [match[4] or "" for match in matches]


def _clocks(filled: Sequence[str]) -> list[str] | None:
    """Read lines that begin with a time, or that follow a line of a time or of a speaker and a time."""
    firsts = [_CLOCK_FIRST.fullmatch(line) for line in filled]
    if all(firsts) and (len(filled) > 1 or has_first_minute(filled[0])):
        return [match[2] for match in firsts if match]
    for mark in (_CLOCK_ALONE, _SPEAKER_AND_CLOCK):
        marks = [bool(mark.fullmatch(line)) for line in filled]
        is_sure = sum(marks) > 1 or has_first_minute(filled[0])
        if marks[0] and not marks[-1] and 3 * sum(marks) >= len(marks) and is_sure:
            after = {i + 1 for i, is_mark in enumerate(marks) if is_mark}
            if all(_LENGTH_IN_WORDS.fullmatch(filled[i]) for i in after):  # a video page says each time twice
                marks = [is_mark or i in after for i, is_mark in enumerate(marks)]
            return [line for line, is_mark in zip(filled, marks, strict=True) if not is_mark]
    return None


def _are_times(matches: Sequence[re.Match[str]]) -> bool:
    """Tell whether the numbers before words are times, and not numbers that somebody said."""
    from_start, last = number(matches[0][1]) == 0, number(matches[-1][3])
    have_fractions = all(re.search("[.,]", match[1] + match[3]) for match in matches)
    return (from_start and last >= _MIN_SAMPLES) or (have_fractions and (from_start or len(matches) > 1))

"""Tells whether a plain text may be words that somebody said, and refuses times, markup, headers and phonemes.

Only texts in no other form come here. In doubt a text is refused, since nobody would notice what is taught wrong.
"""

import re
from collections.abc import Sequence

from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.speech.texts import columns
from adaptwin_core.speech.texts.table_fields import lines_of
from adaptwin_core.speech.texts.times import tells_times, timed_text_refused
from adaptwin_core.speech.texts.value_kinds import is_phonetic

_HEAD_CHARS = 200
_OTHER_FORM = re.compile(
    r"\s*(?:\{\\rtf|<\?xml|<!doctype|<html|<tt\b|<transcript|%PDF|File type\s*=|Object class\s*=|\[Script Info\]"
    r"|@Begin\b|@UTF8|separator ;|[\[{]\s*[\[{]?\s*['\"]\w+['\"]\s*:|\{\d+\}\{\d+\}|TITLE:.*\n+\d{3} )",
    re.IGNORECASE,
)
_MARKUP = re.compile(r"</[A-Za-z][\w:]{0,20}\s*>|<br\s*/?>|https?://\S")
_FULL_CONTEXT = re.compile(r"(?<!\S)[^\s^]{1,20}\^[^\s-]{1,20}-[^\s+]{1,20}\+[^\s=]{1,20}=")  # labels of HTS
_MIN_PHONES = 4
_CELLS = re.compile(r"[\t|;,]")
_TIME_NAMES = frozenset({*columns.START_NAMES, *columns.END_NAMES, "tmin", "tmax", "xmin", "xmax", "in", "out", "tier"})
_COLUMN_NAMES = frozenset(
    {*columns.FILE_NAMES, *columns.TEXT_NAMES, *columns.SPLIT_NAMES, *columns.OTHER_NAMES, *_TIME_NAMES}
)


def require_words(text: str) -> None:
    """Check a text that is in no timed form.

    Raises:
        InvalidAudio: timed_text, where it tells times; transcript_form, where it is no words for another reason.
    """
    filled = [line for line in lines_of(text) if line.strip()]
    if _OTHER_FORM.match(text[:_HEAD_CHARS]) or _MARKUP.search(text):
        raise _not_words("it holds markup or a form that is not read")
    if _is_header(filled):
        raise _not_words("it is a table that names no recordings")
    if tells_times(text, filled):
        raise timed_text_refused("it looks like timed text, and is in no form that is read")
    if _FULL_CONTEXT.search(text) or (len(text.split(None, _MIN_PHONES)) >= _MIN_PHONES and is_phonetic(text)):
        raise _not_words("it holds phonemes and not words")


def _is_header(filled: Sequence[str]) -> bool:
    """Tell whether the first of several lines names columns, one of them a column of times."""
    if len(filled) < 2 or len(filled[0]) > _HEAD_CHARS:
        return False
    cells = [columns.plain_name(cell.strip().strip('"')) for cell in _CELLS.split(filled[0])]
    known = [cell for cell in cells if cell in _COLUMN_NAMES]
    return len(cells) > 2 and 2 * len(known) >= len(cells) and bool(_TIME_NAMES & set(known))


def _not_words(what: str) -> InvalidAudio:
    return InvalidAudio(f"{what}; send the words that are said as plain text", code="transcript_form")

"""Text in Unicode's composed form (NFC), in a time that grows with its length only."""

import re
import unicodedata

_MAX_MARKS = 30  # on one letter, as in Unicode's stream-safe form: sorting more takes quadratic time
_MANY_SIGNS = re.compile(rf"[^\w\s\x00-\x7f]{{{_MAX_MARKS + 1},}}")  # combining marks are no letters to `re`


def nfc(text: str) -> str:
    """Return the text in NFC, without what one letter bears beyond 30 marks: no language has such."""
    return unicodedata.normalize("NFC", _MANY_SIGNS.sub(lambda run: _without_surplus(run[0]), text))


def _without_surplus(run: str) -> str:
    kept: list[str] = []
    num_marks = 0
    for c in run:
        num_marks = num_marks + 1 if unicodedata.combining(c) else 0
        if num_marks <= _MAX_MARKS:
            kept.append(c)
    return "".join(kept)

"""Text in Unicode's composed form (NFC), in a time that grows linearly with its length."""

import re
import unicodedata

_MAX_MARKS = 30  # on one letter, as in Unicode's stream-safe form; sorting them takes quadratic time
_MANY_SIGNS = re.compile(rf"[^\w\s\x00-\x7f]{{{_MAX_MARKS + 1},}}")  # combining marks are no letters to `re`


def nfc(text: str) -> str:
    """Return the text in NFC. A letter keeps at most 30 combining marks, which is more than any language writes."""
    return unicodedata.normalize("NFC", _MANY_SIGNS.sub(lambda run: _without_surplus(run[0]), text))


def _without_surplus(run: str) -> str:
    kept: list[str] = []
    num_marks = 0
    for c in run:
        num_marks = num_marks + 1 if unicodedata.combining(c) else 0
        if num_marks <= _MAX_MARKS:
            kept.append(c)
    return "".join(kept)

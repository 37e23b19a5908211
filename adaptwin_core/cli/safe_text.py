"""Text that may hold anything, such as a file's name, made safe to print on a terminal."""

import unicodedata
from typing import Final

_CONTROLS: Final = {"Cc", "Cs", "Zl", "Zp"}
_BIDIRECTIONAL: Final = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # they reorder the text around them


def printable(text: str) -> str:
    """Return text with escaped control characters, which a file name may hold."""
    return "".join(c.encode("unicode_escape").decode() if _is_control(c) else c for c in text)


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in _CONTROLS or character in _BIDIRECTIONAL

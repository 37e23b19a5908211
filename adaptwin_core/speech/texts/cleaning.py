"""A transcript's text as it is taught: on one line, without what cannot be seen or said."""

import re
import unicodedata

from adaptwin_core.speech.nfc import nfc

# Format characters that shape what is seen: joiners of Persian, Hindi and Sinhala, the Mongolian vowel separator, and
# Arabic, Syriac and Kaithi number signs, which are visible.
_KEPT = frozenset(
    "\u200c\u200d\u180e\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
)
_MARK_OF_A_RECOGNIZER = re.compile(r"<\|[^|<>\s]{1,30}\|>")  # <|0.00|>, <|endoftext|>: Whisper's own, which nobody says


def cleaned(text: str) -> str:
    """Return the text in NFC on one line.

    Other format characters (soft hyphens, byte order marks, marks of direction) vanish without a space. So does the
    zero width space, with which some Khmer and Thai texts mark words: most do not, and nobody sees it.
    Control characters, line ends, what no font shows and a recognizer's own marks become a space.
    """
    plain = _MARK_OF_A_RECOGNIZER.sub(" ", nfc(text))
    kept = (c for c in plain if unicodedata.category(c) != "Cf" or c in _KEPT)
    return " ".join("".join(c if c.isprintable() or c in _KEPT else " " for c in kept).split())

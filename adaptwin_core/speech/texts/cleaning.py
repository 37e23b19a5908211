"""Cleans the text of a transcript for training: one line, without characters that cannot be seen or said."""

import re
import unicodedata

from adaptwin_core.speech.nfc import nfc

# Format characters that change what is seen: joiners of Persian, Hindi and Sinhala, the Mongolian vowel separator, and
# the visible number signs of Arabic, Syriac and Kaithi.
_KEPT = frozenset(
    "\u200c\u200d\u180e\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
)
_MARK_OF_A_RECOGNIZER = re.compile(r"<\|[^|<>\s]{1,30}\|>")  # Whisper's own tokens, such as <|0.00|> and <|endoftext|>


def cleaned(text: str) -> str:
    """Return the text in NFC on one line.

    Other format characters (soft hyphens, byte order marks, marks of direction) are removed. So is the zero width
    space, which separates words in some Khmer and Thai texts but not in most. Control characters, line ends,
    unprintable characters and the tokens of a recognizer become spaces.
    """
    plain = _MARK_OF_A_RECOGNIZER.sub(" ", nfc(text))
    kept = (c for c in plain if unicodedata.category(c) != "Cf" or c in _KEPT)
    return " ".join("".join(c if c.isprintable() or c in _KEPT else " " for c in kept).split())

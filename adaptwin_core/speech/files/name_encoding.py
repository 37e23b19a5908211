"""Turns the bytes of file names into text. A zip or tar often does not say which encoding its names have."""

import re
import unicodedata
from collections.abc import Collection, Sequence
from typing import NamedTuple

from adaptwin_core.speech.nfc import nfc

# The first one wins where several fit equally well. A zip that does not say means code page 437.
_ENCODINGS = ("utf-8", "cp437", "cp850", "cp1252", "cp866", "cp1251", "cp932", "cp949", "gb2312", "gbk", "big5")
_NATIVE_SCRIPTS = {
    "cp932": ("HIRAGANA", "KATAKANA"),
    "cp949": ("HANGUL",),
}  # scripts that only these encodings are made for
_EASTERN = {
    "cp932": frozenset({"CJK", "IDEOGRAPHIC", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"}),
    "cp949": frozenset({"HANGUL"}),
}
_PUNCTUATION = frozenset(
    "、。・「」『』（）［］【】！？，：；　"
)  # common in names, so no evidence of a wrong encoding
_WRONG_SCRIPTS = frozenset({"GREEK", "HALFWIDTH", "JAMO", "UNNAMED"})  # frequent where the encoding is wrong
_UNCASED = frozenset({"CJK", "HANGUL", "HIRAGANA", "KATAKANA"})
_WORDS = re.compile(r"[^\W\d_]+")
_ASCII_LETTERS = re.compile(r"[A-Za-z]+")
_MAX_NAMES_ASKED = 64  # more give no new evidence


class _Likeness(NamedTuple):
    """How well a reading fits, the best evidence first."""

    num_named: int  # names that the tables hold
    share: float  # of the letters beyond ASCII that make words of one script
    num_native: int  # letters of the script that the encoding was made for


def decoded(names: Sequence[bytes], texts: str = "") -> list[str]:
    """Return names of one origin as text, all read in one encoding.

    UTF-8 where all are valid UTF-8. Otherwise the encoding in which most names stand in `texts`, the tables beside
    them; then the one in which most of what is not ASCII makes words.
    """
    readings = {encoding: reading for encoding in _ENCODINGS if (reading := _read(names, encoding)) is not None}
    if "utf-8" in readings:
        return readings["utf-8"]
    evident = nfc(texts)
    asked = sorted({i for i, name in enumerate(names) if not name.isascii()})[:_MAX_NAMES_ASKED]

    def likeness(encoding: str) -> _Likeness:
        shown = {readings[encoding][i].rpartition("/")[2] for i in asked}
        num_named = sum((name.rpartition(".")[0] or name) in evident for name in shown)
        return _Likeness(num_named, *_wordlike(shown, encoding))

    return readings[max(readings, key=likeness)]


def _read(names: Sequence[bytes], encoding: str) -> list[str] | None:
    try:
        return [name.decode(encoding) for name in names]
    except UnicodeDecodeError:
        return None


def _wordlike(names: Collection[str], encoding: str) -> tuple[float, int]:
    """Return the share of letters and signs beyond ASCII that make words, and how many are of the native script."""
    num_good = num_all = num_native = 0
    for name in names:
        signs = [c for c in name if not (c.isascii() or c in _PUNCTUATION or c.isdecimal())]
        num_all += sum(len(c.encode(encoding)) for c in signs)
        for word in _WORDS.findall(name):
            foreign = [c for c in word if not c.isascii()]
            if foreign and _is_word(word, encoding):
                num_good += sum(len(c.encode(encoding)) for c in foreign)
                num_native += sum(_script(c) in _NATIVE_SCRIPTS.get(encoding, ()) for c in foreign)
    return (num_good / num_all if num_all else 1.0), num_native


def _is_word(word: str, encoding: str) -> bool:
    """Tell whether it is of one script, in small letters, capitals, or with one capital at its start."""
    scripts = {_script(c) for c in word}
    if scripts & _WRONG_SCRIPTS:
        return False
    east = _EASTERN.get(encoding, frozenset({"CJK"}))
    if (
        scripts - {"LATIN"} and scripts - {"LATIN"} <= east
    ):  # "takeテスト" is written so; one sign amid letters is chance
        return "LATIN" not in scripts or all(len(part) > 1 for part in _ASCII_LETTERS.split(word) if part)
    if "LATIN" in scripts and len(word) > 2 and not any(c.isascii() for c in word):
        return False
    return len(scripts) == 1 and not scripts & _UNCASED and word in {word.lower(), word.upper(), word.capitalize()}


def _script(letter: str) -> str:
    name = unicodedata.name(letter, "UNNAMED")
    return "JAMO" if name.startswith("HANGUL LETTER") else name.partition(" ")[0]  # parts of syllables make no words

"""Recognizes older encodings by the letters and the commonest words of languages.

An encoding is accepted only if the letters fit no other reading of the bytes, or if common words leave no doubt. A
wrong guess would teach wrong letters, and nobody would notice. Statistical detectors guess too often: on four short
sentences they read "niño" as "nińo".
"""

import itertools
import unicodedata
from collections import defaultdict

from adaptwin_core.speech.texts.alphabets import LANGUAGES, Language

_TYPOGRAPHY = frozenset("‘’‚“”„«»‹›–—…•°§€£¥©®™¿¡ªº·\u00a0\u00ad、。「」『』・！？，：；（）《》〈〉ー〜")
_INSIDE_WORDS = frozenset("’·\u00ad-'")
_SAMPLE_BYTES = 50_000  # enough to tell a language
_MIN_HITS, _MIN_LEAD = 2, 2.0  # common words that decide between two readings


def guess(data: bytes) -> str | None:
    """Return the encoding of the one reading that makes sense, or None."""
    sample = data[:_SAMPLE_BYTES].rsplit(b"\n", 1)[0] if len(data) > _SAMPLE_BYTES else data
    hits: dict[str, int] = defaultdict(lambda: -1)  # reading -> common words in it
    encoding_of: dict[str, str] = {}
    for language in LANGUAGES:
        for encoding in language.encodings:
            text = strictly(sample, encoding)
            if text is not None and _fits(text, language, encoding):
                encoding_of.setdefault(text, encoding)
                hits[text] = max(hits[text], _num_common(text, language))
    ranked = sorted(hits, key=lambda text: -hits[text])
    if not ranked:
        return None
    most, next_most = hits[ranked[0]], hits[ranked[1]] if len(ranked) > 1 else 0
    is_sure = len(ranked) == 1 or (most >= _MIN_HITS and most >= _MIN_LEAD * next_most)
    return encoding_of[ranked[0]] if is_sure else None


def strictly(data: bytes, encoding: str) -> str | None:
    """Return the text of bytes that are valid in an encoding, or None."""
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _fits(text: str, language: Language, encoding: str) -> bool:
    """Tell whether every word beyond ASCII could be one of the language's."""
    beyond = [c for c in text if c > "\x7f" and c not in _TYPOGRAPHY]
    if not language.letters:
        return bool(beyond) and _fits_large_script(beyond, language, encoding)
    is_latin = encoding in {"cp1252", "cp850", "mac_roman", "cp1250", "iso8859_2", "cp1254", "cp1257"}
    if not all(unicodedata.normalize("NFC", c.lower()) in language.letters or c == "İ" for c in set(beyond)):
        return False
    return all(_is_word(word, is_latin=is_latin) for word in text.split() if not word.isascii())


def _is_word(word: str, *, is_latin: bool) -> bool:
    # A word of several fields of a table is no word.
    for part in word.replace("|", " ").replace(",", " ").replace(";", " ").replace('"', " ").split():
        core = part.strip("".join(_TYPOGRAPHY) + ".:!?()[]-'/")
        letters = [c for c in core if c.isalpha()]
        if any(c in _TYPOGRAPHY and c not in _INSIDE_WORDS for c in core):
            return False
        if any(a.islower() and b.isupper() for a, b in itertools.pairwise(letters)):
            return False
        if not is_latin and len({c.isascii() for c in letters}) > 1:
            return False
    return True


def _fits_large_script(beyond: list[str], language: Language, encoding: str) -> bool:
    num_kana = sum("\u3040" <= c <= "\u30ff" for c in beyond)
    num_hangul = sum("\uac00" <= c <= "\ud7a3" for c in beyond)
    num_han = sum("\u4e00" <= c <= "\u9fff" for c in beyond)
    if num_kana + num_hangul + num_han < 0.98 * len(beyond):
        return False
    if language.name == "Japanese":
        return not num_hangul and num_kana >= 0.15 * len(beyond)
    if language.name == "Korean":
        return num_hangul >= 0.98 * len(beyond)
    # The common characters come first in both Chinese encodings.
    first, last = (b"\xb0\xa1", b"\xd7\xf9") if encoding == "gb18030" else (b"\xa4\x40", b"\xc6\x7e")
    num_common = sum(first <= c.encode(encoding) <= last for c in beyond)
    return num_han == len(beyond) and num_common >= 0.9 * len(beyond)


def _num_common(text: str, language: Language) -> int:
    if language.letters and language.name != "Thai":
        words = "".join(c if c.isalpha() else " " for c in text.lower()).split()
        return sum(word in language.words for word in words)
    return sum(text.count(word) for word in language.words)

"""Turns the bytes of transcript files into text.

UTF-8 and UTF-16 are recognized for certain. An older encoding is believed only where a language's letters fit one
reading of the bytes, or its most common words leave no doubt: a wrong guess would teach wrong letters unnoticed.
Detectors by statistics were tried; on four short sentences they read "niño" as "nińo".
"""

import codecs
import itertools
import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.speech.alphabets import LANGUAGES, Language

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark begins it
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NAMES = {"cp850": "DOS code page 850", "cp866": "DOS code page 866", "cp932": "Shift JIS", "mac_roman": "Mac Roman"}
_TYPOGRAPHY = frozenset("‘’‚“”„«»‹›–—…•°§€£¥©®™¿¡ªº·\u00a0\u00ad、。「」『』・！？，：；（）《》〈〉ー〜")
_INSIDE_WORDS = frozenset("’·\u00ad-'")
_BYTE_OF = {bytes([b]).decode("cp1252", "ignore") or chr(b): b for b in range(0x80, 0x100)}
_TO_LATIN_1 = {ord(c): byte for c, byte in _BYTE_OF.items()}
_SAMPLE_BYTES = 200_000  # enough to tell a language
_MIN_HITS, _MIN_LEAD = 2, 2.0  # common words that decide between two readings


class Decoded(NamedTuple):
    """A file's text, and what it was converted from ("" for UTF-8)."""

    text: str
    encoding: str


@dataclass(frozen=True)
class Refused:
    """A file whose letters cannot be told."""

    error: InvalidAudio


def decode_all(files: Mapping[str, bytes]) -> dict[str, Decoded | Refused]:
    """Decode files by name. Those in an older encoding are judged together first: alone, many are too short."""
    decoded: dict[str, Decoded | Refused] = {}
    legacy: dict[str, bytes] = {}
    for name, data in files.items():
        found = _unicode(data)
        if found is None:
            legacy[name] = data
        else:
            decoded[name] = found
    pooled = _guess(b"\n".join(legacy.values())) if legacy else None
    for name, data in legacy.items():
        decoded[name] = _legacy(data, pooled)
    return decoded


def _unicode(data: bytes) -> Decoded | None:
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            try:
                return Decoded(data[len(bom) :].decode(encoding), "" if encoding == "utf-8" else encoding.upper())
            except UnicodeDecodeError:
                return None
    if b"\0" in data and len(data) % 2 == 0:
        for encoding in ("utf-16-le", "utf-16-be"):
            if (text := _strict(data, encoding)) is not None and _is_clean(text):
                return Decoded(text, f"{encoding.upper()} without a byte order mark")
    text = _strict(data, "utf-8")
    if text is not None and (once := _encoded_once(text)) is not None:
        return Decoded(once, "UTF-8 that was encoded twice")
    return None if text is None else Decoded(text, "")


def _encoded_once(text: str) -> str | None:
    """Return the text that was taken for Windows-1252 and encoded again, as in `fÃ¼hrt`; None where it was not."""
    beyond = {c for c in text if c > "\x7f"}
    if not beyond or not beyond <= _BYTE_OF.keys():
        return None
    once = _strict(text.translate(_TO_LATIN_1).encode("latin-1"), "utf-8")
    return once if once is not None and len(once) < len(text) else None


def _is_clean(text: str) -> bool:
    """Tell whether UTF-16 read in this byte order gives characters that texts have: the other gives rare ones."""
    common = sum(c in "\n\r\t" or c.isprintable() for c in text)
    spaces = sum(c in " \n\r\t" for c in text)
    return common == len(text) and spaces > 0


def _legacy(data: bytes, pooled: str | None) -> Decoded | Refused:
    for encoding in (pooled, _guess(data)):
        if encoding is not None and (text := _strict(data, encoding)) is not None:
            return Decoded(text, _NAMES.get(encoding, encoding.upper().replace("CP125", "Windows-125")))
    reason = "it is not UTF-8, and its encoding cannot be told for sure; save it as UTF-8"
    return Refused(InvalidAudio(reason, code="transcript_encoding"))


def _guess(data: bytes) -> str | None:
    """Return the encoding of the one reading that makes sense, or None."""
    sample = data[:_SAMPLE_BYTES].rsplit(b"\n", 1)[0] if len(data) > _SAMPLE_BYTES else data
    hits: dict[str, int] = defaultdict(lambda: -1)  # reading -> common words in it
    encoding_of: dict[str, str] = {}
    for language in LANGUAGES:
        for encoding in language.encodings:
            text = _strict(sample, encoding)
            if text is not None and _fits(text, language, encoding):
                encoding_of.setdefault(text, encoding)
                hits[text] = max(hits[text], _num_common(text, language))
    ranked = sorted(hits, key=lambda text: -hits[text])
    if not ranked:
        return None
    most, next_most = hits[ranked[0]], hits[ranked[1]] if len(ranked) > 1 else 0
    is_sure = len(ranked) == 1 or (most >= _MIN_HITS and most >= _MIN_LEAD * next_most)
    return encoding_of[ranked[0]] if is_sure else None


def _strict(data: bytes, encoding: str) -> str | None:
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
    # Fields of a table are no words together.
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

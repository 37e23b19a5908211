"""Decodes the bytes of transcript files into text.

UTF-8, UTF-16 and UTF-8 that was encoded twice are recognized with certainty. An older encoding is recognized only if
there is no doubt.
"""

import codecs
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.speech.texts.older_encodings import guess, strictly

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, since it begins with the mark of that
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NAMES = {"cp850": "DOS code page 850", "cp866": "DOS code page 866", "cp932": "Shift JIS", "mac_roman": "Mac Roman"}
_BYTE_OF = {bytes([b]).decode("cp1252", "ignore") or chr(b): b for b in range(0x80, 0x100)}
_TO_LATIN_1 = {ord(c): byte for c, byte in _BYTE_OF.items()}


class Decoded(NamedTuple):
    """A file's text, and what it was converted from ("" for UTF-8)."""

    text: str
    encoding: str


@dataclass(frozen=True)
class Refused:
    """A file whose encoding is in doubt."""

    error: InvalidAudio


def decode_all(files: Mapping[str, bytes]) -> dict[str, Decoded | Refused]:
    """Decode files by name. Those in an older encoding are judged together first, since many alone are too short."""
    decoded: dict[str, Decoded | Refused] = {}
    legacy: dict[str, bytes] = {}
    for name, data in files.items():
        found = _unicode(data)
        if found is None:
            legacy[name] = data
        else:
            decoded[name] = found
    pooled = guess(b"\n".join(legacy.values())) if legacy else None
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
            if (text := strictly(data, encoding)) is not None and _is_clean(text):
                return Decoded(text, f"{encoding.upper()} without a byte order mark")
    text = strictly(data, "utf-8")
    if text is not None and (once := _encoded_once(text)) is not None:
        return Decoded(once, "UTF-8 that was encoded twice")
    return None if text is None else Decoded(text, "")


def _encoded_once(text: str) -> str | None:
    """Return the text that was taken for Windows-1252 and encoded again, as in `fÃ¼hrt`; None where it was not."""
    beyond = {c for c in text if c > "\x7f"}
    if not beyond or not beyond <= _BYTE_OF.keys():
        return None
    once = strictly(text.translate(_TO_LATIN_1).encode("latin-1"), "utf-8")
    return once if once is not None and len(once) < len(text) else None


def _is_clean(text: str) -> bool:
    """Tell whether a text has only common characters. UTF-16 in the wrong byte order has rare ones."""
    is_common = all(c in "\n\r\t" or c.isprintable() or unicodedata.category(c) in {"Cf", "Zs"} for c in text)
    return is_common and any(c in " \n\r\t" for c in text)


def _legacy(data: bytes, pooled: str | None) -> Decoded | Refused:
    for encoding in (pooled, guess(data)):
        if encoding is not None and (text := strictly(data, encoding)) is not None:
            return Decoded(text, _NAMES.get(encoding, encoding.upper().replace("CP125", "Windows-125")))
    reason = "it is not UTF-8, and its encoding cannot be told for sure; save it as UTF-8"
    return Refused(InvalidAudio(reason, code="transcript_encoding"))

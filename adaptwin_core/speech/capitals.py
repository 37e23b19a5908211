"""Decides for a whole set whether its transcripts are in capitals, and then writes them as sentences.

LibriSpeech and others write everything in capitals, which tokenize letter by letter. One clip in capitals among others
is an abbreviation, or meant so.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from adaptwin_core.speech.claims import Line
from adaptwin_core.speech.notices import Notices

_SHARE = 0.95  # of the letters that have case
_SHARE_OF_TEXT = 0.8  # McDONALD is in capitals
_MIN_LETTERS = 40  # fewer may be a few abbreviations
_SENTENCE_START = re.compile(r"(?:^|[.!?…]\s)\W{0,8}\w")


def settle_capitals(lines: Mapping[str, Line], notices: Notices) -> dict[str, Line]:
    """Return the lines as sentences where nearly all of the set's letters are capitals, else as they are."""
    texts = [line.text for line in lines.values() if line.text]
    num_upper = sum(c.isupper() for text in texts for c in text)
    num_cased = num_upper + sum(c.islower() for text in texts for c in text)
    if num_cased < _MIN_LETTERS or num_upper < _SHARE * num_cased:
        return dict(lines)
    is_turkic = any("İ" in text for text in texts)
    message = (
        f"the {len(texts)} transcripts are in capitals: they are taught as sentences, and names lose their capital"
    )
    notices.note("transcripts", "capitals", message)
    return {name: _settled(line, is_turkic=is_turkic) for name, line in lines.items()}


def _settled(line: Line, *, is_turkic: bool) -> Line:
    if not line.text or not _is_shouted(line.text):
        return line
    return replace(line, text=_as_sentence(line.text, is_turkic=is_turkic))


def _is_shouted(text: str) -> bool:
    num_upper = sum(c.isupper() for c in text)
    return num_upper > _SHARE_OF_TEXT * (num_upper + sum(c.islower() for c in text))


def _as_sentence(text: str, *, is_turkic: bool) -> str:
    """Return a text in lower case but for each sentence's first letter. Turkish and Azeri have an I without a dot."""
    if is_turkic:
        lower = text.replace("I", "ı").replace("İ", "i").lower()
        return _SENTENCE_START.sub(lambda match: match[0].replace("i", "İ").upper(), lower)
    return _SENTENCE_START.sub(lambda match: match[0].upper(), text.lower())

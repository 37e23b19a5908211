"""Finds whether the transcripts of a whole set are in capitals, and if so converts them to sentence case.

LibriSpeech and others write everything in capitals, which a tokenizer splits into letters. If only one clip of a set is
in capitals, it is an abbreviation, or meant so.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from adaptwin_core.speech.annotations import Annotation
from adaptwin_core.speech.notices import Notices

_SHARE = 0.95  # of the letters that have case
_SHARE_OF_TEXT = 0.8  # of the letters of one text; McDONALD is in capitals
_MIN_LETTERS = 40  # fewer may be a few abbreviations
_SENTENCE_START = re.compile(r"(?:^|[.!?…]\s)\W{0,8}\w")


def settle_capitals(annotations: Mapping[str, Annotation], notices: Notices) -> dict[str, Annotation]:
    """Return the annotations in sentence case if nearly all letters of the set are capitals, else as they are."""
    texts = [annotation.text for annotation in annotations.values() if annotation.text]
    num_upper = sum(c.isupper() for text in texts for c in text)
    num_cased = num_upper + sum(c.islower() for text in texts for c in text)
    if num_cased < _MIN_LETTERS or num_upper < _SHARE * num_cased:
        return dict(annotations)
    is_turkic = any("İ" in text for text in texts)
    message = (
        f"the {len(texts)} transcripts are in capitals: they are taught as sentences, and names lose their capital"
    )
    notices.note("transcripts", "capitals", message)
    return {name: _settled(annotation, is_turkic=is_turkic) for name, annotation in annotations.items()}


def _settled(annotation: Annotation, *, is_turkic: bool) -> Annotation:
    if not annotation.text or not _is_shouted(annotation.text):
        return annotation
    return replace(annotation, text=_as_sentence(annotation.text, is_turkic=is_turkic))


def _is_shouted(text: str) -> bool:
    num_upper = sum(c.isupper() for c in text)
    return num_upper > _SHARE_OF_TEXT * (num_upper + sum(c.islower() for c in text))


def _as_sentence(text: str, *, is_turkic: bool) -> str:
    """Return a text in lower case but for each sentence's first letter. Turkish and Azeri have an I without a dot."""
    if is_turkic:
        lower = text.replace("I", "ı").replace("İ", "i").lower()
        return _SENTENCE_START.sub(lambda match: match[0].replace("i", "İ").upper(), lower)
    return _SENTENCE_START.sub(lambda match: match[0].upper(), text.lower())

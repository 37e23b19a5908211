"""Text normalization before transcripts are compared: case, punctuation and invisible marks are removed.

English is normalized as Whisper's authors do it. Their normalizer for all other languages replaces every combining mark
with a space, which removes the vowels of Hindi, Tamil or Thai. Here a mark stays in its word.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

from adaptwin_core.ml.base.whisper_files import english_spelling

HALF_SPACE = "\u200c"
_DOTLESS = frozenset({"tr", "az"})
# Letters that older texts write with a joiner: the chillus of Malayalam, and the Bengali ta without a vowel.
_JOINED = dict(
    zip(
        ("ണ്\u200d", "ന്\u200d", "ര്\u200d", "ല്\u200d", "ള്\u200d", "ക്\u200d", "ত্\u200d"),
        ("ൺ", "ൻ", "ർ", "ൽ", "ൾ", "ൿ", "ৎ"),
        strict=True,
    )
)
_LATE_TONE = re.compile("([\u0e4d\u0ecd])([\u0e48-\u0e4b\u0ec8-\u0ecb])")  # Thai and Lao, typed in either order
_PERSIAN = str.maketrans("يك", "یک")  # an Arabic keyboard's forms of two Persian letters
# Vowel marks of Arabic and Hebrew, which most texts leave out, and the stroke that stretches an Arabic word.
_ARABIC_VOWELS = re.compile(
    "[\u0610-\u061a\u0640\u064b-\u0652\u0656-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed]"
)
_HEBREW_VOWELS = re.compile("[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7]")
# Marks that choose a glyph, not a letter: variation selectors, and the combining grapheme joiner.
_GLYPH_CHOICE = re.compile("[\u034f\u180b-\u180d\ufe00-\ufe0f\U000e0100-\U000e01ef]")


@lru_cache
def normalizer(language: str) -> Callable[[str], str]:
    """Return the normalizer of a language. Outside English it leaves half-spaces in; `as_spaced` compares them."""
    # Deferred: importing transformers takes seconds.
    from transformers.models.whisper.english_normalizer import BasicTextNormalizer, EnglishTextNormalizer

    if language == "en":
        english = EnglishTextNormalizer(english_spelling())
        return lambda text: str(english(text)).replace(HALF_SPACE, "").strip()
    basic = BasicTextNormalizer()
    basic.clean = lambda text: _without_symbols(_spelt(text, language))
    prepare = _dotless if language in _DOTLESS else str
    return lambda text: _evenly_spaced(str(basic(prepare(text)))).strip()


def as_spaced(hypothesis: str, reference: str) -> str:
    """Return `hypothesis` with words joined or separated as in `reference`, where either has a half-space in them.

    In Persian one word is written with a half-space, a space or nothing, depending on the writer's keyboard. Both texts
    must be normalized. `reference` is not changed, since errors are counted against it.
    """
    if hypothesis == reference:
        return hypothesis
    for word in _halved(reference):
        hypothesis = re.sub(_variants(word), word, hypothesis)
    known = set(reference.split())
    for word in _halved(hypothesis):
        parted, joined = word.replace(HALF_SPACE, " "), word.replace(HALF_SPACE, "")
        if word not in known and (joined in known or f" {parted} " in f" {reference} "):
            hypothesis = re.sub(rf"(?<!\S){word}(?!\S)", joined if joined in known else parted, hypothesis)
    return hypothesis


def _evenly_spaced(text: str) -> str:
    """Return text in which a word that has a half-space once has it everywhere; no half-space is at an edge."""
    text = re.sub(rf"(?<!\S){HALF_SPACE}+|{HALF_SPACE}+(?!\S)", "", text)
    text = re.sub(rf"{HALF_SPACE}+", HALF_SPACE, text)
    for word in _halved(text):
        text = re.sub(_variants(word), word, text)
    return text


def _halved(text: str) -> list[str]:
    return sorted({word for word in text.split() if HALF_SPACE in word})


def _variants(word: str) -> str:
    """Return a pattern for a word with half-spaces, spaces or nothing between its parts."""
    return rf"(?<!\S){word.replace(HALF_SPACE, f'[ {HALF_SPACE}]?')}(?!\S)"


def _dotless(text: str) -> str:
    """Return text with the Turkish İ and I in lower case, as i and ı."""
    return unicodedata.normalize("NFC", text).replace("İ", "i").replace("I", "ı")


def _spelt(text: str, language: str) -> str:
    """Return text in which what sounds the same and can be written in several ways has one spelling."""
    for joined, letter in _JOINED.items():
        text = text.replace(joined, letter)
    text = unicodedata.normalize("NFKC", text).replace("i\u0307", "i")  # as Python's lower() writes İ
    text = _LATE_TONE.sub(r"\2\1", _GLYPH_CHOICE.sub("", _ARABIC_VOWELS.sub("", text)))
    if language != "yi":  # in Yiddish the points distinguish letters
        text = _HEBREW_VOWELS.sub("", text)
    return text.translate(_PERSIAN) if language == "fa" else text


def _without_symbols(text: str) -> str:
    """Return text with a space for each symbol and punctuation mark, and without invisible characters."""
    kept: list[str] = []
    for char in text:
        category = unicodedata.category(char)
        if category in {"Mn", "Mc"}:  # NFKC makes a space and a mark of ´, and that mark is no part of a word
            kept.append(char if kept and not kept[-1].isspace() else " ")
        elif category[0] in "MSP":
            kept.append(" ")
        elif category != "Cf" or char == HALF_SPACE:
            kept.append(char)
    return "".join(kept)

"""The words of a language as people write them, from the lists of the package `wordfreq`.

The lists hold folded words: lower case, ss for ß, σ at the end of a word, no marks in Arabic and Hebrew. Here each word
gets back the forms in which it is written. A list of a language whose words run together in writing says too little of
the tokens across two words, so such a language keeps all tokens in its script.
"""

import unicodedata
from collections.abc import Iterator
from typing import Final

from adaptwin_core.domain.word_lists import WORD_LISTS

MAX_WORDS: Final = 100_000
_RUN_TOGETHER = {"ja": ("CJK", "HIRAGANA", "KATAKANA", "IDEOGRAPHIC"), "ko": ("HANGUL",), "zh": ("CJK", "IDEOGRAPHIC")}
_LISTED_WITHOUT_MARKS = {"ar": ("ARABIC",), "fa": ("ARABIC",), "ur": ("ARABIC",), "he": ("HEBREW",)}


def listed_words(language: str) -> list[str]:
    """Return up to `MAX_WORDS` words, folded, the most frequent first. The language is one of `WORD_LISTS`."""
    from wordfreq import top_n_list  # only here: a model that keeps all tokens does without the lists

    return list(top_n_list(WORD_LISTS[language], MAX_WORDS))


def forms_of(word: str, language: str) -> Iterator[str]:
    """Yield a listed word as it is, capitalized and in capitals, in each spelling that folding made equal."""
    for spelling in _spellings(word, language):
        upper = spelling.replace("i", "İ").upper() if language == "tr" else spelling.upper()
        initial = "İ" if language == "tr" and spelling.startswith("i") else spelling[:1].title()
        yield from (spelling, initial + spelling[1:], upper)
        if language == "nl" and spelling.startswith("ij"):
            yield "IJ" + spelling[2:]


def is_in_script(text: str, language: str) -> bool:
    """Return whether a token is kept for its script: none is of a language whose list tells all."""
    if language in _RUN_TOGETHER:
        return _is_written_in(text, _RUN_TOGETHER[language])
    has_mark = any(unicodedata.category(letter).startswith("M") for letter in text)
    return has_mark and language in _LISTED_WITHOUT_MARKS and _is_written_in(text, _LISTED_WITHOUT_MARKS[language])


def runs_together(language: str) -> bool:
    """Return whether words follow each other without a space, or their list holds parts of words."""
    return language in _RUN_TOGETHER


def _is_written_in(text: str, scripts: tuple[str, ...]) -> bool:
    letters = [letter for letter in text if unicodedata.category(letter).startswith("L")]
    return all(unicodedata.name(letter, "").startswith(scripts) for letter in letters)


def _spellings(word: str, language: str) -> Iterator[str]:
    yield word
    if language == "de":
        for place in range(len(word) - 1):
            if word[place : place + 2] == "ss":
                yield f"{word[:place]}ß{word[place + 2 :]}"
    elif language == "el" and word.endswith("σ"):
        yield f"{word[:-1]}ς"

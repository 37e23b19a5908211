"""A person's transcript, written as the original model writes the same words.

People write "eighty-one thousand", Whisper "81,000". A model that learns one from transcripts and the other from its
original ends between them ("81 thous in"), so what is learnt is what was said, not how numbers are written.
"""

from collections.abc import Sequence
from difflib import SequenceMatcher

from adaptwin_core.ml.scoring import normalizer

MAX_SPAN = 12  # words that are tried as one number, date or sum


def may_be_respelled(text: str, language: str) -> bool:
    """Return whether a transcript holds a number; only the English normalizer knows two spellings of one."""
    return language == "en" and any(char.isdigit() for char in normalizer(language)(text))


def respelled(transcript: str, original: str, language: str) -> str:
    """Return the transcript with those words that both texts say, but write differently, as the original has them.

    What the two say differently stays as the transcript has it, and so does what they write alike.

    Args:
        original: what the original model heard in the same sound.
    """
    said, heard = transcript.split(), original.split()
    alike = SequenceMatcher(None, [_bare(word) for word in said], [_bare(word) for word in heard], autojunk=False)
    words: list[str] = []
    for operation, start, end, start_heard, end_heard in alike.get_opcodes():
        if operation == "replace":
            words += _chunk(said[start:end], heard[start_heard:end_heard], language)
        else:
            words += said[start:end]
    return " ".join(words)


def _chunk(said: Sequence[str], heard: Sequence[str], language: str) -> list[str]:
    """Return `said` with its longest span that `heard` writes in another way replaced, and so on beside that."""
    spans_heard = {form: span for span, form in reversed(_spans(heard, language))}
    for (start, end), form in sorted(_spans(said, language), key=lambda found: found[0][0] - found[0][1]):
        if form in spans_heard:
            start_heard, end_heard = spans_heard[form]
            return [
                *_chunk(said[:start], heard[:start_heard], language),
                *heard[start_heard:end_heard],
                *_chunk(said[end:], heard[end_heard:], language),
            ]
    return list(said)


def _spans(words: Sequence[str], language: str) -> list[tuple[tuple[int, int], str]]:
    """Return (start, end) of every run of words, with its normal form where it has one."""
    normalize = normalizer(language)
    spans = [
        (start, end) for start in range(len(words)) for end in range(start + 1, min(start + MAX_SPAN, len(words)) + 1)
    ]
    forms = [(span, normalize(" ".join(words[slice(*span)]))) for span in spans]
    return [(span, form) for span, form in forms if form]


def _bare(word: str) -> str:
    return "".join(char for char in word.lower() if char.isalnum())

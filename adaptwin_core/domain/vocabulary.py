"""Which jobs drop tokens: those of a multilingual Whisper, for languages whose words are listed."""

from typing import Final

from adaptwin_core.domain.languages import named
from adaptwin_core.domain.shape import ModelShape
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.token_counts import least_tokens
from adaptwin_core.domain.word_lists import WORD_LISTS

LEAST_MULTILINGUAL: Final = 51_865  # tokens of the smallest multilingual vocabulary; the English one has one fewer
_TEXT = 50_257  # tokens of text in a multilingual vocabulary


def why_whole(spec: CompressionSpec, shape: ModelShape) -> str | None:
    """Return why a job keeps every token, as a clause of a sentence; None where it drops some."""
    if shape.vocab_size < LEAST_MULTILINGUAL:
        return "the base model hears English only, or was made without other languages"
    if spec.vocabulary == "all":
        return "the settings keep them"
    unlisted = [code for code in spec.spoken if code not in WORD_LISTS]
    if unlisted:
        return f"there is no list of the words of {' and '.join(map(named, unlisted))}"
    return None


def drops_tokens(spec: CompressionSpec, shape: ModelShape) -> bool:
    return why_whole(spec, shape) is None


def smallest_shape(spec: CompressionSpec, shape: ModelShape) -> ModelShape:
    """Return the shape with the fewest tokens that this job may keep: those of its languages, and all but text.

    Transcripts may need a few more, which is known once they are read.
    """
    if not drops_tokens(spec, shape):
        return shape
    return shape.with_tokens(shape.vocab_size - _TEXT + least_tokens(spec.spoken))

"""How well a transcript matches: corpus word and character error rates with a bootstrap interval over clips."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import jiwer
import numpy as np

from adaptwin_core.domain.errors import InvalidInput
from adaptwin_core.ml.whisper_files import english_spelling

_NUM_RESAMPLES = 1000
_INTERVAL_PERCENT = (2.5, 97.5)


@dataclass(frozen=True)
class ClipScore:
    """One clip after normalization: its texts and counts."""

    reference: str
    hypothesis: str
    num_words: int
    num_chars: int
    word_errors: int
    char_errors: int


@dataclass(frozen=True)
class Score:
    """Error rates over a whole set, as fractions (0.05 is 5 %), each with its 95 % interval."""

    wer: float
    wer_low: float
    wer_high: float
    cer: float
    cer_low: float
    cer_high: float
    num_words: int
    substitutions: int
    deletions: int
    insertions: int
    clips: tuple[ClipScore, ...]


def score(references: Sequence[str], hypotheses: Sequence[str], *, language: str, seed: int = 0) -> Score:
    """Compare transcripts clip by clip, both sides normalized as Whisper's authors do.

    The rates are sums of errors over sums of words, not means over clips. Clips whose reference is empty after
    normalization count with their insertions. The interval resamples clips, 1000 times, from `seed`.

    Raises:
        InvalidInput: the lists differ in length, or no reference has a word.
    """
    if len(references) != len(hypotheses):
        raise InvalidInput(f"{len(references)} references but {len(hypotheses)} hypotheses")
    normalize = normalizer(language)
    said, heard = [normalize(text) for text in references], [normalize(text) for text in hypotheses]
    if not any(said):
        raise InvalidInput("no reference transcript holds a word, so there is nothing to score")
    words, chars = jiwer.process_words(said, heard), jiwer.process_characters(said, heard)
    num_words = np.array([len(reference) for reference in words.references])
    num_chars = np.array([len(reference) for reference in chars.references])
    word_errors, char_errors = _errors(words.alignments), _errors(chars.alignments)
    resampled = np.random.default_rng(seed).integers(0, len(said), size=(_NUM_RESAMPLES, len(said)))
    wer_low, wer_high = _interval(word_errors, num_words, resampled)
    cer_low, cer_high = _interval(char_errors, num_chars, resampled)
    columns = zip(said, heard, num_words, num_chars, word_errors, char_errors, strict=True)
    return Score(
        wer=float(word_errors.sum() / num_words.sum()),
        wer_low=wer_low,
        wer_high=wer_high,
        cer=float(char_errors.sum() / num_chars.sum()),
        cer_low=cer_low,
        cer_high=cer_high,
        num_words=int(num_words.sum()),
        substitutions=words.substitutions,
        deletions=words.deletions,
        insertions=words.insertions,
        clips=tuple(ClipScore(r, h, *(int(count) for count in counts)) for r, h, *counts in columns),
    )


@lru_cache
def normalizer(language: str) -> Callable[[str], str]:
    """Return Whisper's text normalizer for `language`: the English one for en, the basic one otherwise."""
    # Deferred: importing transformers takes seconds.
    from transformers.models.whisper.english_normalizer import BasicTextNormalizer, EnglishTextNormalizer

    normalize: Callable[[str], str] = BasicTextNormalizer()
    if language == "en":
        normalize = EnglishTextNormalizer(english_spelling())
    return lambda text: str(normalize(text)).strip()


def _errors(alignments: Sequence[Sequence[jiwer.AlignmentChunk]]) -> np.ndarray:
    """Return each clip's substitutions, deletions and insertions, added up."""
    return np.array(
        [
            sum(
                max(chunk.ref_end_idx - chunk.ref_start_idx, chunk.hyp_end_idx - chunk.hyp_start_idx)
                for chunk in clip
                if chunk.type != "equal"
            )
            for clip in alignments
        ]
    )


def _interval(errors: np.ndarray, totals: np.ndarray, resampled: np.ndarray) -> tuple[float, float]:
    """Return the 95 % interval of sum(errors) / sum(totals) over the rows of clip indices in `resampled`."""
    sums = totals[resampled].sum(axis=1)
    rates = errors[resampled].sum(axis=1) / np.maximum(sums, 1)  # a resample of only empty references has no rate
    low, high = np.percentile(rates[sums > 0], _INTERVAL_PERCENT)
    return float(low), float(high)

"""Error rates of transcripts over a whole set, by words and by characters, with bootstrap intervals over clips.

Models are judged by the rate of the language's unit: words, or characters where no spaces separate words.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import jiwer
import numpy as np

from adaptwin_core.domain.errors import InvalidInput
from adaptwin_core.domain.units import Unit, unit_of
from adaptwin_core.ml.evaluation.normalizer import HALF_SPACE, as_spaced, normalizer

_NUM_RESAMPLES = 1000
_NUM_PAIRED_RESAMPLES = 10_000
_INTERVAL_PERCENT = (2.5, 97.5)


@dataclass(frozen=True)
class ClipScore:
    """One clip after normalization: its texts and counts. `num_units` and `errors` count in the language's unit."""

    reference: str
    hypothesis: str
    num_words: int
    num_chars: int
    word_errors: int
    char_errors: int
    num_units: int
    errors: int


@dataclass(frozen=True)
class Score:
    """Error rates over a whole set, as fractions (0.05 is 5 %), each with its 95 % interval.

    `error_rate`, `num_units` and the three kinds of errors count in `unit`.
    """

    unit: Unit
    error_rate: float
    error_rate_low: float
    error_rate_high: float
    wer: float
    wer_low: float
    wer_high: float
    cer: float
    cer_low: float
    cer_high: float
    num_units: int
    num_words: int
    substitutions: int
    deletions: int
    insertions: int
    clips: tuple[ClipScore, ...]

    @property
    def num_errors(self) -> int:
        return self.substitutions + self.deletions + self.insertions


@dataclass(frozen=True)
class Difference:
    """The difference of two error rates on the same clips, as a fraction, with its 95 % interval."""

    rate: float
    low: float
    high: float


def score(references: Sequence[str], hypotheses: Sequence[str], *, language: str, seed: int = 0) -> Score:
    """Compare transcripts clip by clip, both sides normalized.

    A rate is Σ errors / Σ words (or characters) over all clips, not a mean over clips. A clip whose reference is empty
    after normalization counts with its insertions. The interval resamples clips 1000 times, from `seed`. In languages
    judged by characters, spaces do not count as characters.

    Args:
        language: its Whisper code.

    Raises:
        InvalidInput: the lists differ in length, or no reference has a word.
    """
    if len(references) != len(hypotheses):
        raise InvalidInput(f"{len(references)} references but {len(hypotheses)} hypotheses")
    normalize, unit = normalizer(language), unit_of(language)
    refs = [normalize(text) for text in references]
    if not any(refs):
        raise InvalidInput("no reference transcript holds a word, so there is nothing to score")
    hyps = [as_spaced(normalize(text), ref) for text, ref in zip(hypotheses, refs, strict=True)]
    refs, hyps = ([text.replace(HALF_SPACE, "") for text in texts] for texts in (refs, hyps))
    words, chars = (
        jiwer.process_words(refs, hyps),
        jiwer.process_characters(_letters(refs, unit), _letters(hyps, unit)),
    )
    num_words = np.array([len(reference) for reference in words.references])
    num_chars = np.array([len(reference) for reference in chars.references])
    word_errors, char_errors = _errors(words.alignments), _errors(chars.alignments)
    resampled = np.random.default_rng(seed).integers(0, len(refs), size=(_NUM_RESAMPLES, len(refs)))
    wer = (float(word_errors.sum() / num_words.sum()), *_interval(word_errors, num_words, resampled))
    cer = (float(char_errors.sum() / num_chars.sum()), *_interval(char_errors, num_chars, resampled))
    judged, judged_rate, num_units, errors = (
        (words, wer, num_words, word_errors) if unit is Unit.WORD else (chars, cer, num_chars, char_errors)
    )
    columns = zip(refs, hyps, num_words, num_chars, word_errors, char_errors, num_units, errors, strict=True)
    return Score(
        unit,
        *judged_rate,
        *wer,
        *cer,
        num_units=int(num_units.sum()),
        num_words=int(num_words.sum()),
        substitutions=judged.substitutions,
        deletions=judged.deletions,
        insertions=judged.insertions,
        clips=tuple(ClipScore(r, h, *(int(count) for count in counts)) for r, h, *counts in columns),
    )


def difference(scored: Score, other: Score, *, seed: int = 0) -> Difference:
    """Return the error rate of `scored` minus that of `other`, on the same clips.

    This is a paired bootstrap: each resample draws the same clips for both, so that clips which are hard for every
    model cancel.
    """
    apart = np.array([mine.errors - its.errors for mine, its in zip(scored.clips, other.clips, strict=True)])
    num_units = np.array([clip.num_units for clip in scored.clips])
    resampled = np.random.default_rng(seed).integers(0, len(apart), size=(_NUM_PAIRED_RESAMPLES, len(apart)))
    return Difference(float(apart.sum() / num_units.sum()), *_interval(apart, num_units, resampled))


def judged_by(texts: Sequence[str | None]) -> tuple[list[int], bool]:
    """Return the indices of the clips to judge by, and whether their transcripts are the reference.

    If any transcript has words, the clips with a transcript are judged by it; an empty one says that nobody speaks. If
    none has words, the clips without a transcript (None) are judged by a model's output.
    """
    if any(texts):
        return [index for index, text in enumerate(texts) if text is not None], True
    return [index for index, text in enumerate(texts) if text is None], False


def count_units(text: str, language: str) -> int:
    """Return how many units, words or characters, a transcript has."""
    normalized = normalizer(language)(text).replace(HALF_SPACE, "")
    return len("".join(normalized.split())) if unit_of(language) is Unit.CHARACTER else len(normalized.split())


def _letters(texts: list[str], unit: Unit) -> list[str]:
    """Return texts in the form in which their characters are compared."""
    return ["".join(text.split()) if unit is Unit.CHARACTER else text for text in texts]


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

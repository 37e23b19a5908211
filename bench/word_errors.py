"""Word error rates as every bench measures and shows them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from adaptwin_core.ml.evaluation.held_out import spread
from adaptwin_core.ml.evaluation.scoring import score
from adaptwin_core.ml.model.featurizer import Featurizer
from adaptwin_core.ml.model.transcription import Transcripts, transcribe
from adaptwin_core.speech.corpus import Clip, Corpus

NUM_RESAMPLES = 10_000


@dataclass(frozen=True)
class Judged:
    """The word error rate over all clips in % with its 95 % interval, the words that nobody said, the errors and words
    of each clip, and the transcripts with what they cost. In a language judged by characters, all of these count
    characters.
    """

    wer: list[float]
    inserted: int
    errors: list[int]
    words: list[int]
    heard: Transcripts

    @property
    def by_clip(self) -> str:
        """Errors/words of every clip in one line, since a list of 40 numbers would be 40 lines of JSON."""
        return " ".join(f"{errors}/{words}" for errors, words in zip(self.errors, self.words, strict=True))


def clips_from(by_clip: str) -> tuple[list[int], list[int]]:
    """Return errors and words of each clip, as `Judged.by_clip` wrote them."""
    pairs = [pair.split("/") for pair in by_clip.split()]
    return [int(errors) for errors, _ in pairs], [int(words) for _, words in pairs]


def judged_clips(corpus: Corpus, num_clips: int) -> list[Clip]:
    """Return held-out clips that have a transcript, spread evenly."""
    return spread([clip for clip in corpus.split("test") if clip.text], num_clips)


def word_error_rates(
    model: Any, featurizer: Featurizer, corpus: Corpus, num_clips: int, language: str, *, margin_s: float | None = None
) -> Judged:
    """Hear `judged_clips` in windows that end `margin_s` after the sound, None for whole ones, and score them."""
    clips = judged_clips(corpus, num_clips)
    heard = transcribe(model, featurizer, corpus, clips, margin_s=margin_s)
    found = score([clip.text or "" for clip in clips], heard.texts, language=language)
    return Judged(
        wer=[round(100 * x, 2) for x in (found.error_rate, found.error_rate_low, found.error_rate_high)],
        inserted=found.insertions,
        errors=[clip.errors for clip in found.clips],
        words=[clip.num_units for clip in found.clips],
        heard=heard,
    )


def difference(errors: Sequence[int], reference: Sequence[int], words: Sequence[int]) -> list[float]:
    """Return how many points one WER is above another on the same clips, with the 95 % interval of resampled clips.

    The same clips are drawn for both, so that a clip which is hard for every model does not widen the interval.
    """
    apart, total = np.subtract(errors, reference), np.asarray(words)
    drawn = np.random.default_rng(0).integers(0, len(total), size=(NUM_RESAMPLES, len(total)))
    points = 100 * apart[drawn].sum(1) / np.maximum(total[drawn].sum(1), 1)
    return [round(float(x), 2) for x in (100 * apart.sum() / total.sum(), *np.percentile(points, (2.5, 97.5)))]


def as_text(wer: list[float]) -> str:
    """Return a rate, or a difference of two rates, with its interval as a table shows them: in %, one decimal."""
    middle, low, high = (f"{value:.1f}" for value in wer)
    return f"{middle} ({low} to {high})" if wer[1] < 0 else f"{middle} ({low}-{high})"

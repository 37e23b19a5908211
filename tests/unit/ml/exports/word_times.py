"""When each word is said, by two models on the same clip."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

import numpy as np

from adaptwin_core.ml.evaluation.normalizer import normalizer


@dataclass(frozen=True)
class Word:
    """A word, normalized, and when it is said, in seconds."""

    text: str
    start: float
    end: float


def words_of(segments: Iterable[Any], language: str) -> list[Word]:
    """Return the words of faster-whisper's segments."""
    normalize = normalizer(language)
    return [Word(normalize(word.word), word.start, word.end) for segment in segments for word in segment.words]


def differences(ours: Sequence[Word], theirs: Sequence[Word]) -> list[float]:
    """Return how far apart, in seconds, both put the start and the end of each word that both heard."""
    ours, theirs = ([word for word in words if word.text] for words in (ours, theirs))  # "um" normalizes to nothing
    matcher = SequenceMatcher(None, [word.text for word in ours], [word.text for word in theirs], autojunk=False)
    pairs = [
        (ours[block.a + i], theirs[block.b + i]) for block in matcher.get_matching_blocks() for i in range(block.size)
    ]
    return [abs(a - b) for one, other in pairs for a, b in ((one.start, other.start), (one.end, other.end))]


def summary(found: Sequence[float]) -> dict[str, float]:
    """Return mean and percentiles in milliseconds."""
    in_ms = 1000 * np.asarray(found)
    middle, high = np.percentile(in_ms, (50, 95))
    return {
        "mean_ms": round(float(in_ms.mean()), 1),
        "median_ms": round(float(middle), 1),
        "percentile_95_ms": round(float(high), 1),
        "num_boundaries": len(in_ms),
    }

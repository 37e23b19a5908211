"""Which of several models a person is told to take."""

import random

import pytest

from adaptwin_core.domain.model_limits import NO_LIMITS, ModelLimits
from adaptwin_core.ml.evaluation.family import Sibling, choose, frontier
from adaptwin_core.ml.evaluation.scoring import score

WORDS = "the quick brown fox jumps over that very lazy dog"
CLIPS = 40


def sibling(name: str, num_errors: int, weights_bytes: int = 40_000_000, ms: float = 100.0) -> Sibling:
    """Return a model that gets so many of 400 words wrong, in clips of their own."""
    heard = [WORDS.replace("fox", "box") if clip < num_errors else WORDS for clip in range(CLIPS)]
    return Sibling(name, score([WORDS] * CLIPS, heard, language="en"), weights_bytes, ms)


def test_a_model_that_another_beats_is_not_on_the_frontier():
    family = [sibling("small", 9, 20_000_000), sibling("worse", 9, 30_000_000), sibling("large", 2, 70_000_000)]
    assert frontier(family) == [True, False, True]


def test_of_two_equal_models_both_are_on_the_frontier():
    assert frontier([sibling("one", 3), sibling("two", 3)]) == [True, True]


def test_the_smallest_that_is_about_as_good_is_taken():
    family = [sibling("large", 2, 70_000_000), sibling("small", 3, 30_000_000), sibling("tiny", 30, 10_000_000)]
    place, sentence = choose(family, NO_LIMITS)
    assert place == 1
    assert sentence.startswith("Take small (30.0 MB, 100 ms). It is the smallest of all models that is about as good")
    assert "large" in sentence


def test_the_best_is_taken_where_smaller_ones_are_surely_worse():
    place, sentence = choose([sibling("large", 1, 70_000_000), sibling("tiny", 30, 10_000_000)], NO_LIMITS)
    assert place == 0
    assert "fewest words wrong of all models, and no smaller one is about as good" in sentence


def test_a_model_that_is_one_point_worse_is_not_about_as_good_however_unsure_that_is():
    family = [sibling("large", 0, 70_000_000), sibling("small", 5, 30_000_000)]
    assert choose(family, NO_LIMITS).place == 0


@pytest.mark.parametrize(
    ("limits", "place"),
    [
        (ModelLimits(max_bytes=50_000_000), 1),
        (ModelLimits(max_ms=80), 2),
        (ModelLimits(max_bytes=70_000_000), 0),
    ],
)
def test_only_models_that_fit_are_chosen_among(limits, place):
    family = [sibling("large", 0, 70_000_000), sibling("small", 9, 30_000_000), sibling("fast", 20, 60_000_000, 50.0)]
    found = choose(family, limits)
    assert found.place == place
    assert "that fit" in found.sentence


def test_where_none_fits_none_is_taken_and_the_nearest_are_named():
    family = [sibling("large", 0, 70_000_000, 50.0), sibling("small", 9, 30_000_000, 90.0)]
    place, sentence = choose(family, ModelLimits(max_bytes=2_000_000))
    assert place is None
    assert "No model fits 2 MB. The smallest is small (30.0 MB, 90 ms), the fastest large (70.0 MB, 50 ms)." in sentence


@pytest.mark.parametrize("seed", range(20))
def test_the_model_to_take_is_beaten_by_none_that_fits(seed):
    draw = random.Random(seed)
    family = [
        sibling(str(place), draw.randint(0, 8), draw.choice([20, 30, 40]) * 10**6, draw.choice([50.0, 90.0]))
        for place in range(8)
    ]
    place, _ = choose(family, NO_LIMITS)
    assert place is not None
    assert not any(other.beats(family[place]) for other in family)


def test_without_words_to_judge_by_the_smallest_is_taken_and_the_reason_is_told():
    family = [Sibling("large", None, 70_000_000, 50.0), Sibling("small", None, 30_000_000, 50.0)]
    place, sentence = choose(family, NO_LIMITS)
    assert (place, "no transcripts could show" in sentence) == (1, True)

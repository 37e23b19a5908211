"""The difference of two word error rates on the same clips."""

import numpy as np
import pytest

from bench.word_errors import difference


def test_the_same_errors_are_no_difference():
    errors = [0, 3, 1, 0, 2] * 8
    assert difference(errors, errors, [10] * 40) == [0.0, 0.0, 0.0]


def test_what_is_hard_for_both_cancels():
    rng = np.random.default_rng(0)
    hard = rng.integers(0, 30, 40)
    points, low, high = difference((hard + 1).tolist(), hard.tolist(), [30] * 40)
    assert points == pytest.approx(100 / 30, abs=0.01)
    assert (low, high) == (points, points)


def test_a_difference_of_few_clips_may_be_chance():
    points, low, high = difference([3, *[0] * 19], [0] * 20, [10] * 20)
    assert points == 1.5
    assert low == 0.0 < high

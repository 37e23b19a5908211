"""Word times, compared on what is known."""

import pytest

from tests.unit.ml.exports.word_times import Word, differences, summary


def test_words_that_both_heard_are_compared() -> None:
    ours = [Word("the", 0.0, 0.2), Word("red", 0.2, 0.5), Word("cat", 0.6, 1.0)]
    theirs = [Word("the", 0.1, 0.2), Word("bad", 0.2, 0.5), Word("cat", 0.6, 0.8)]
    assert differences(ours, theirs) == pytest.approx([0.1, 0.0, 0.0, 0.2])
    assert summary([0.1, 0.0, 0.0, 0.2])["mean_ms"] == 75.0

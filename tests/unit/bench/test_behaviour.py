"""Word times and loops, measured on what is known."""

import pytest

from bench.behaviour.loops import looped_words
from bench.behaviour.word_times import Word, differences, summary


def test_words_that_both_heard_are_compared() -> None:
    ours = [Word("the", 0.0, 0.2), Word("red", 0.2, 0.5), Word("cat", 0.6, 1.0)]
    theirs = [Word("the", 0.1, 0.2), Word("bad", 0.2, 0.5), Word("cat", 0.6, 0.8)]
    assert differences(ours, theirs) == pytest.approx([0.1, 0.0, 0.0, 0.2])
    assert summary([0.1, 0.0, 0.0, 0.2])["mean_ms"] == 75.0


@pytest.mark.parametrize(
    ("text", "looped"),
    [
        ("the cat sat on the mat and the dog sat on the rug", 0),
        ("no no no said the king", 0),
        ("no no no no said the king", 4),
        ("thank you thank you thank you thank you and more", 8),
        ("a b c a b c a b c a b", 0),
        ("x a b c a b c a b c a b c a", 13),
    ],
)
def test_a_phrase_said_four_times_in_a_row_is_a_loop(text: str, looped: int) -> None:
    assert looped_words(text.split()) == looped

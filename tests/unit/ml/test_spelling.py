"""Numbers are learnt as the original writes them, all else as the person does."""

import pytest

from adaptwin_core.ml.spelling import may_be_respelled, respelled


@pytest.mark.parametrize(
    ("transcript", "original", "wanted"),
    [
        (
            "the amount was eighty-one thousand, seven hundred ninety-one pounds.",
            "The amount was 81,791 pounds.",
            "the amount was 81,791 pounds.",
        ),
        # beside a word that was misheard, and more than once
        (
            "five thousand, seven hundred nineteen writs for debts of ten pounds in Middlesex,",
            "5,719 rits for debts of 10 pounds in middle sex.",
            "5,719 writs for debts of 10 pounds in Middlesex,",
        ),
        ("on page 81 of twenty", "On page eighty-one, of 20.", "on page eighty-one, of 20."),
        # another number was heard: the person knows
        ("it was fifteen thousand", "It was 50,000.", "it was fifteen thousand"),
        # left out, added, or nothing heard at all
        ("two of them went home", "Of them went home today.", "two of them went home"),
        ("twenty of them", "", "twenty of them"),
        # written alike, whatever the case
        ("DEAR SIR, i am", "Dear Sir. I am", "DEAR SIR, i am"),
    ],
)
def test_what_both_say_is_written_as_the_original_writes_it(transcript, original, wanted):
    assert respelled(transcript, original, "en") == wanted


def test_only_words_that_a_normalizer_knows_as_numbers_are_worth_asking_for():
    assert may_be_respelled("eighty-one thousand", "en")
    assert may_be_respelled("on page 81", "en")
    assert not may_be_respelled("nobody counted them", "en")
    assert not may_be_respelled("achtzig", "de")

"""Numbers, capitals and punctuation are counted as a reader sees them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptwin_core.ml.evaluation.scoring import count_units, score
from adaptwin_core.ml.evaluation.written_form import Count, as_json, as_written


def counted(said, heard, language="en"):
    return as_written([said], [heard], language=language)


@pytest.mark.parametrize(
    ("language", "said", "heard", "expected"),
    [
        ("en", "At 10:30 pay $5, not 1,500.", "At 10:30 pay 5 not 1500", Count(2, 3)),
        ("en", "Room 7", "Room seven", Count(1, 1)),
        ("en", "It is -3 degrees", "It is 3 degrees", Count(1, 1)),
        ("en", "Room seven", "Room 7", None),  # none is written in digits
        ("de", "Am 3. Mai", "am 3. Mai", Count(0, 1)),
        ("hi", "५ किताबें", "5 किताबें", Count(1, 1)),
        ("ja", "12時30分です", "12時13分です", Count(1, 2)),
        ("ja", "今日は12時です", "今日は12時です", Count(0, 1)),
        ("th", "ห้อง 205", "ห้อง 25", Count(1, 1)),
    ],
)
def test_numbers_come_back_as_they_are_written(language, said, heard, expected):
    assert counted(said, heard, language)["numbers"] == expected


@pytest.mark.parametrize(
    ("language", "said", "heard", "expected"),
    [
        ("en", "Anna met NASA people", "anna met Nasa people", Count(2, 4)),
        ("en", "Anna met Bob", "anna met Rob", Count(1, 2)),  # a word heard wrong has no capitals to judge
        ("en", "anna met bob", "Anna met Bob", None),
        ("en", "ANNA MET BOB", "Anna met Bob", None),
        ("de", "Der Ärger", "der ärger", Count(2, 2)),
        ("hi", "पानी लाओ", "पानी लाओ", None),
        ("zh", "我用iPhone", "我用iphone", Count(1, 1)),
    ],
)
def test_capitals_of_words_heard_right(language, said, heard, expected):
    assert counted(said, heard, language)["capitals"] == expected


@pytest.mark.parametrize(
    ("language", "said", "heard", "expected"),
    [
        ("en", "Yes, I am. Are you?", "Yes I am. Are you.", Count(2, 3)),  # one missing, one another
        ("en", "Yes I am.", "Yes, I am.", Count(1, 2)),  # one added
        ("en", "Yes I am", "Yes, I am.", None),
        ("en", "Well… “yes” — no.", 'Well... "yes" - no.', Count(0, 3)),
        ("en", "Don't stop!", "don't stop", Count(1, 1)),
        ("en", "Wait, stop.", "Weight stop.", Count(0, 1)),
        ("es", "¿Qué? Nada.", "Qué? Nada", Count(1, 2)),
        ("hi", "पानी लाओ। चलो।", "पानी लाओ चलो।", Count(1, 2)),
        ("ar", "نعم، شكرا.", "نعم شكرا.", Count(1, 2)),
        ("ja", "「はい」。そうです。", "はい。そうです", Count(2, 2)),
        ("fr", "Oui !", "Oui!", Count(0, 1)),
    ],
)
def test_punctuation_after_words_heard_right(language, said, heard, expected):
    assert counted(said, heard, language)["punctuation"] == expected


def test_clips_are_added_up_and_silent_ones_count_for_nothing():
    found = as_written(["Anna has 2.", "", "Bob has 3."], ["anna has 2.", "You", "Bob has 4"], language="en")
    assert as_json(found) == {
        "numbers": {"errors": 1, "of": 2},
        "capitals": {"errors": 1, "of": 4},
        "punctuation": {"errors": 0, "of": 1},
    }


def test_nothing_said_and_nothing_heard_can_be_counted():
    assert set(counted("", "Words.").values()) == {None}
    assert counted("Room 7.", "")["numbers"] == Count(1, 1)


@given(
    st.lists(st.tuples(st.text(), st.text()), min_size=1, max_size=4), st.sampled_from(["en", "de", "fa", "ja", "tr"])
)
def test_any_text_can_be_counted_and_the_same_text_has_no_errors(pairs, language):
    said, heard = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    for count in as_written(said, heard, language=language).values():
        assert count is None or 0 <= count.errors <= count.of
    for count in as_written(said, said, language=language).values():
        assert count is None or count.errors == 0
    if any(count_units(text, language) for text in said):
        assert score(said, said, language=language).error_rate == 0
        assert score(said, heard, language=language).num_units == sum(count_units(text, language) for text in said)

"""Whether enough transcribed speech is kept from training to search a cut by."""

from typing import Any

import pytest

from adaptwin_core.domain.admission import admit
from adaptwin_core.domain.dataset_report import DatasetReport
from adaptwin_core.domain.errors import InvalidSpec
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.validation import num_validation


def part(seconds: float, words: int | None, characters: int | None = None) -> dict[str, Any]:
    return {
        "clips": 1,
        "labelled": int(words != 0),
        "silent": 0,
        "labelled_seconds": seconds if words != 0 else 0.0,
        "unlabelled_seconds": 0.0 if words != 0 else seconds,
        "words": words,
        "characters": characters if characters is not None or words is None else 5 * words,
    }


def speech(train: dict[str, Any], valid: dict[str, Any]) -> DatasetReport:
    parts = {"train": train, "valid": valid, "test": part(60, 150)}
    return DatasetReport(
        seconds=900,
        clips=3,
        labelled=sum(p["labelled"] for p in parts.values()),
        labelled_train=train["labelled"],
        splits={"train": 600, "valid": 60, "test": 60},
        parts=parts,
        rejects=[],
        warnings=[],
    )


@pytest.mark.parametrize(
    ("train", "valid", "language", "told"),
    [
        (part(600, 1500), part(60, 99), "en", "99 words of it are too few"),
        (part(600, 1500), part(60, 100), "en", None),
        (part(600, 1500), part(60, 0), "en", None),  # two windows of a tenth
        (part(400, 1000), part(60, 0), "en", "75 words of it are too few"),  # one window
        (part(120, 300), part(60, 0), "en", "0 words of it are too few"),  # too short to hold any window back
        (part(600, 0), part(60, 0), "en", "0 words of it are too few"),
        (part(600, 40, 4000), part(60, 4, 99), "ja", "99 characters of it are too few"),
        (part(600, 40, 4000), part(60, 4, 100), "ja", None),
        (part(600, None), part(60, None), "en", None),  # read by a version that counted none
    ],
)
def test_a_wanted_error_rate_needs_words_that_no_training_sees(
    train: dict[str, Any], valid: dict[str, Any], language: str, told: str | None
):
    spec = CompressionSpec(max_wer=8.0, language=language)
    if told is None:
        assert admit(speech(train, valid), None, spec, accept_little=False)
        return
    with pytest.raises(InvalidSpec, match=told) as refused:
        admit(speech(train, valid), None, spec, accept_little=True)
    assert refused.value.code == "nothing_to_search_by"


def test_without_a_wanted_error_rate_no_words_are_asked_for():
    assert admit(speech(part(120, 300), part(60, 0)), None, CompressionSpec(), accept_little=False)


def test_a_tenth_is_held_back_and_no_more_than_is_quick_to_hear():
    assert [num_validation(count) for count in (9, 10, 39, 40, 500)] == [0, 1, 3, 4, 4]

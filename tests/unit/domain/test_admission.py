"""Which speech a job may begin with, and what a person is told of it."""

from typing import Any

import pytest

from adaptwin_core.domain.admission import admit, shortcomings
from adaptwin_core.domain.dataset_report import DatasetReport
from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.domain.spec import CompressionSpec

SPEC = CompressionSpec()
CLIP_S = 10.0


def part(*, words: int = 0, silent: int = 0, untold: int = 0) -> dict[str, Any]:
    """Figures of clips of ten seconds: with words, with an empty transcript, without any."""
    return {
        "clips": words + silent + untold,
        "labelled": words + silent,
        "silent": silent,
        "labelled_seconds": words * CLIP_S,
        "unlabelled_seconds": untold * CLIP_S,
    }


def found(train: dict[str, Any], test: dict[str, Any]) -> DatasetReport:
    parts = {"train": train, "valid": part(), "test": test}
    return DatasetReport(
        seconds=sum(p["clips"] for p in parts.values()) * CLIP_S,
        clips=sum(p["clips"] for p in parts.values()),
        labelled=sum(p["labelled"] for p in parts.values()),
        labelled_train=train["labelled"],
        splits={name: p["clips"] * CLIP_S for name, p in parts.items()},
        parts=parts,
        rejects=[],
        warnings=[],
    )


ENOUGH = found(part(words=6), part(words=1))


@pytest.mark.parametrize(
    "speech", [ENOUGH, found(part(untold=6), part(untold=1)), found(part(words=6, silent=9), part(silent=3, words=1))]
)
def test_enough_speech_is_admitted(speech: DatasetReport):
    assert "accepted_little" not in [remark.code for remark in admit(speech, ENOUGH, SPEC, accept_little=False)]


@pytest.mark.parametrize(
    ("speech", "what"),
    [
        (
            found(part(words=1), part()),
            ["one clip of 10 seconds, and learning and testing need one each; there are 10 seconds of"],
        ),
        (found(part(words=60), part()), ["no speech is held out for testing"]),
        (found(part(words=60), part(silent=4)), ["nobody says a word in the test speech"]),
        (found(part(words=5), part(words=1)), ["50 seconds of transcribed speech to train on", "1 minute is needed"]),
        (found(part(words=5, untold=500), part(words=1)), ["50 seconds of transcribed speech to train on"]),
        (found(part(words=5, silent=500), part(words=1)), ["50 seconds of transcribed speech to train on"]),
        (found(part(untold=5, silent=1), part(untold=1)), ["50 seconds of speech to train on"]),
        (found(part(silent=99), part(words=1)), ["every clip to train on has an empty transcript", "1 minute"]),
    ],
)
def test_a_hopeless_job_needs_the_word(speech: DatasetReport, what: list[str]):
    with pytest.raises(InvalidAudio) as refused:
        admit(speech, None, SPEC, accept_little=False)
    assert refused.value.code == "too_little_speech"
    assert "accept_little" in refused.value.message
    for piece in what:
        assert piece in refused.value.message
    accepted = [r.message for r in admit(speech, None, SPEC, accept_little=True) if r.code == "accepted_little"]
    assert len(accepted) == len(shortcomings(speech, None, SPEC)) > 0


def test_no_word_helps_where_no_clip_is_for_training():
    with pytest.raises(InvalidAudio, match="none of the 9 clips are for training") as refused:
        admit(found(part(), part(words=9)), None, SPEC, accept_little=True)
    assert refused.value.code == "no_training_speech"


def test_a_job_that_learns_nothing_needs_speech_to_judge_by_only():
    stored = CompressionSpec(encoder_cut=0, personal_steps=0, weights="int8")
    assert admit(found(part(), part(words=1, untold=1)), None, stored, accept_little=False)
    with pytest.raises(InvalidAudio, match="held out"):
        admit(found(part(words=60), part()), None, stored, accept_little=False)


def test_general_speech_must_have_something_to_learn():
    with pytest.raises(InvalidAudio, match="general speech has nothing to train on"):
        admit(ENOUGH, found(part(), part(words=60)), SPEC, accept_little=False)


def test_reports_of_an_older_version_are_judged_by_their_seconds():
    told = ENOUGH.model_dump() | {"parts": {}, "splits": {"train": 59.0, "valid": 0.0, "test": 5.0}}
    with pytest.raises(InvalidAudio, match="59 seconds"):
        admit(DatasetReport.model_validate(told), None, SPEC, accept_little=False)
    enough = DatasetReport.model_validate(told | {"splits": {"train": 61.0, "valid": 0.0, "test": 5.0}})
    assert admit(enough, ENOUGH, SPEC, accept_little=False) == []


def test_what_the_service_warns_of_is_a_remark():
    told = admit(found(part(untold=60), part(untold=1)), None, SPEC, accept_little=False)
    assert [remark.code for remark in told] == ["no_general_speech", "no_transcripts"]

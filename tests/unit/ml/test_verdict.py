"""The verdict follows the interval, says how sure it is, and where the model is worse says what would help."""

import pytest

from adaptwin_core.domain.errors import InvalidInput
from adaptwin_core.ml.evaluation.comparison import compare
from adaptwin_core.ml.evaluation.verdict import verdict_of
from adaptwin_core.speech.corpus import Clip

WORDS = "one two three four five six seven eight nine ten"


def found(right, original, compressed, language="de", text=WORDS):
    """Compare on `right` clips; of each ten words each model gets as many wrong as given: a number, or one per clip."""
    clips = [Clip(f"c{i}", f"c{i}", text, "test", "s", 0, 160_000) for i in range(right)]

    def heard(wrong):
        wrongs = [wrong] * right if isinstance(wrong, int) else wrong
        said = (text or WORDS).split()
        return {f"c{i}": " ".join(said[: len(said) - n] + ["wrong"] * n) for i, n in enumerate(wrongs)}

    return compare(clips, heard(original), heard(compressed), language)


def verdict(speaker=None, general=None, **changes):
    report = {
        "speech": {kind: one for kind, one in (("speaker", speaker), ("general", general)) if one is not None},
        "base_model": "whisper-base",
        "window": {"margin_s": 0.5, "why": ""},
        "plan": {"encoder_cut": 0.3512, "decoder_cut": 0.0, "total_cut": 0.1},
        "spec": {"weights": "float16", "language": "de", "general_share": 0.3},
        "trained_on": {"seconds": 3600.0, "transcribed_seconds": 3600.0},
    }
    return verdict_of(report | changes)


MIXED = [1, 0] * 20  # as often more as fewer


@pytest.mark.parametrize(
    ("original", "compressed", "outcome", "says"),
    [
        (3, 1, "better", "20.0 to 20.0 points fewer words wrong (95 % interval, 40 clips)"),
        (1, 2, "worse", "10.0 to 10.0 points more words wrong (95 % interval, 40 clips)"),
        (2, 2, "no_worse", "as many words wrong"),
        (MIXED, MIXED[::-1], "no_worse", "within the interval: from 3."),
    ],
)
def test_the_outcome_is_that_of_the_interval(original, compressed, outcome, says):
    made = verdict(found(40, original, compressed))
    assert made.outcome == outcome
    assert says in made.sentence
    assert made.is_sure
    assert made.low <= made.difference <= made.high
    assert (made.outcome == "worse") == bool(made.advice)


def test_the_same_clips_are_drawn_for_both():
    """Clips differ far more from each other than the models do: only in pairs does the difference show."""
    original = [2, 9] * 20
    made = verdict(found(40, original, [n - 1 for n in original]))
    assert made.outcome == "better"


@pytest.mark.parametrize("num_clips", [1, 3, 9])
def test_a_few_clips_are_too_little_to_be_sure(num_clips):
    made = verdict(found(num_clips, 1, 3))
    assert (made.outcome, made.is_sure) == ("worse", False)
    assert made.sentence.startswith("Seems worse than the original")
    assert (
        f"{num_clips} clip{'s' * (num_clips > 1)} with {10 * num_clips} words are too little to be sure"
        in made.sentence
    )
    assert any("10 clips" in sentence for sentence in made.advice)


def test_a_wide_interval_is_not_sure():
    made = verdict(found(12, [0, 6] * 6, [6, 0] * 6))
    assert (made.outcome, made.is_sure) == ("no_worse", False)
    assert "too wide to be sure" in made.sentence


def test_characters_are_told_of_where_they_are_judged():
    made = verdict(found(40, 0, 1, "ja", "今日 は いい 天気 です ね 本当 に 暑い 日"))
    assert made.outcome == "worse"
    assert "more characters wrong" in made.sentence


def test_without_transcripts_or_speech_nothing_is_claimed():
    unlabelled = verdict(found(40, 0, 1, text=None))
    assert (unlabelled.outcome, unlabelled.difference, unlabelled.is_sure) == ("unknown", None, False)
    assert "no held-out clip has a transcript" in unlabelled.sentence
    assert "10.0 %" in unlabelled.sentence
    unheard = verdict()
    assert (unheard.outcome, unheard.low, unheard.high) == ("unknown", None, None)
    assert any("Send transcripts of some recordings" in sentence for sentence in unlabelled.advice)
    assert any("Send more recordings, and keep some" in sentence for sentence in unheard.advice)


def test_better_for_the_speaker_and_worse_for_others_says_both():
    made = verdict(found(40, 3, 1), found(40, 0, 2))
    assert (made.outcome, made.others) == ("better", "worse")
    assert "others are heard worse: 20.0 to 20.0 points more words wrong" in made.sentence
    assert any("general speech" in sentence for sentence in made.advice)


@pytest.mark.parametrize(("general", "others"), [((40, 1, 1), "no_worse"), ((40, 2, 1), "better"), (None, None)])
def test_others_who_are_heard_as_well_are_not_complained_of(general, others):
    made = verdict(found(40, 3, 1), found(*general) if general else None)
    assert (made.outcome, made.others, made.advice) == ("better", others, ())
    assert "others" not in made.sentence


@pytest.mark.parametrize(
    ("changes", "helps"),
    [
        ({}, ["encoder_cut 0.25 in place of 0.35", "Start from whisper-tiny "]),
        ({"base_model": "openai/whisper-base.en"}, ["Start from whisper-tiny.en "]),
        ({"base_model": "openai/whisper-large-v3"}, ["Start from whisper-medium "]),
        ({"base_model": "whisper-large-v3-turbo"}, ["Start from whisper-small "]),
        ({"base_model": "my-own"}, ["Start from the next smaller Whisper "]),
        ({"plan": {"encoder_cut": 0.15, "decoder_cut": 0.0, "total_cut": 0.05}}, ["encoder_cut 0 "]),
        ({"trained_on": {"seconds": 240.0, "transcribed_seconds": 240.0}}, ["on 4.0 minutes; 10 or more"]),
        ({"trained_on": {"seconds": 1200.0, "transcribed_seconds": 600.0}}, ["on 20.0 minutes; 30 or more"]),
        ({"trained_on": {"seconds": 3600.0, "transcribed_seconds": 0.0}}, ["Send transcripts with the speech"]),
        ({"spec": {"weights": "int4", "language": "de", "general_share": 0.3}}, ["Store the weights as int8"]),
        ({"plan": {"encoder_cut": 0.0, "decoder_cut": 0.0, "total_cut": 0.0}}, ["Keep the original"]),
    ],
)
def test_a_worse_model_says_what_would_help(changes, helps):
    said = " ".join(verdict(found(40, 0, 1), **changes).advice)
    assert all(sentence in said for sentence in helps), said


@pytest.mark.parametrize(
    ("plan", "spec", "says", "does_not_say"),
    [
        ((0.0, 0.2), {}, ["Leave the decoder whole: decoder_cut 0 in place of 0.2."], ["of the encoder"]),
        ((0.3512, 0.2), {}, ["decoder_cut 0 in place", "of the encoder: encoder_cut 0.25 in place of 0.35"], []),
        ((0.3512, 0.0), {}, ["of the encoder: encoder_cut 0.25"], ["decoder"]),
        ((0.2, 0.2), {"model_cut": 0.12}, ["Cut less: a model_cut below 0.12."], ["decoder", "of the encoder"]),
        ((0.2, 0.2), {"max_bytes": 60_000_000}, ["a max_bytes above 60,000,000."], ["decoder", "of the encoder"]),
    ],
)
def test_what_was_cut_is_what_is_to_be_cut_less(plan, spec, says, does_not_say):
    encoder_cut, decoder_cut = plan
    plan = {"encoder_cut": encoder_cut, "decoder_cut": decoder_cut, "total_cut": 0.1}
    spec = {"weights": "float16", "language": "de", "general_share": 0.3} | spec
    said = " ".join(verdict(found(40, 0, 1), plan=plan, spec=spec).advice)
    assert all(sentence in said for sentence in says), said
    assert not any(sentence in said for sentence in does_not_say), said


def test_tiny_has_no_smaller_model():
    assert not any("Start from" in said for said in verdict(found(40, 0, 1), base_model="whisper-tiny.en").advice)


def test_an_original_that_hears_nothing_right_points_at_the_transcripts():
    made = verdict(found(40, 9, 0))
    assert made.outcome == "better"
    assert any("belong to their recordings" in sentence and "de" in sentence for sentence in made.advice)


def test_clips_where_nobody_speaks_count_with_what_is_made_up():
    clips = [
        Clip("a", "a", "one two", "test", "s", 0, 16_000),
        Clip("b", "b", "", "test", "s", 0, 16_000),
        Clip("c", "c", None, "test", "s", 0, 16_000),
    ]
    result = compare(clips, {"a": "one two", "b": "You", "c": "x"}, {"a": "one two", "b": "", "c": "x"}, "de")
    assert (result["num_clips"], result["original"]["insertions"], result["compressed"]["insertions"]) == (2, 1, 0)
    assert result["difference"]["rate"] == -0.5


def test_only_silence_with_a_transcript_judges_nothing_but_leaves_the_rest_to_the_original():
    silent = Clip("b", "b", "", "test", "s", 0, 16_000)
    spoken = Clip("c", "c", None, "test", "s", 0, 16_000)
    result = compare([silent, spoken], {"b": "You", "c": "a word"}, {"b": "", "c": "a word"}, "de")
    assert (result["reference"], result["num_clips"]) == ("the original model's own output", 1)
    with pytest.raises(InvalidInput):
        compare([silent], {"b": "You"}, {"b": ""}, "de")

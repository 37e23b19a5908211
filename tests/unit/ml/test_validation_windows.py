"""What judges training end to end was never learnt from, nor measured on where that can be helped."""

from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.task_keys import SpeechKind
from adaptwin_core.domain.validation import MAX_WINDOWS
from adaptwin_core.ml.stages.training_data import mixture_of
from tests.fake_speech import speech_in_splits
from tests.published_whispers import WHISPERS
from tests.unit.ml.small_recipe import recipe_of


class Letters:
    """Every letter is a token."""

    num_tokens = staticmethod(len)


def of_speech(speaker, general=None):
    return recipe_of(CompressionSpec(), speaker, general, shape=WHISPERS["base"], featurizer=Letters())


def mixture(speaker, general=None):
    return mixture_of(of_speech(speaker, general), teacher_knows_speaker=False)


def clips_of(windows):
    return {clip.id for window in windows for clip in window.clips}


def test_the_valid_split_judges_where_there_is_one():
    found = mixture(speech_in_splits(train=90, valid=30, test=30))
    assert clips_of(found.speaker) == {f"train-{i}" for i in range(90)}
    assert clips_of(found.speaker_validation) < {f"valid-{i}" for i in range(30)}
    assert sum(window.margin_s is None for window in found.speaker_validation) == MAX_WINDOWS


def test_whole_and_fitted_windows_of_the_same_clips_judge():
    judging = mixture(speech_in_splits(train=90, valid=30, test=30)).speaker_validation
    whole, fitted = ([w for w in judging if (w.margin_s is None) == is_whole] for is_whole in (True, False))
    assert clips_of(whole) == clips_of(fitted)


def test_without_one_a_tenth_is_held_back_and_it_is_not_what_calibration_takes_first():
    speaker = speech_in_splits(train=90, test=30)
    found = mixture(speaker)
    learnt, validation = clips_of(found.speaker), clips_of(found.speaker_validation)
    assert learnt.isdisjoint(validation)
    assert learnt | validation == {f"train-{i}" for i in range(90)}
    assert clips_of(found.speaker_fitted) == learnt
    first = of_speech(speaker).windows(SpeechKind.SPEAKER)[: len(found.speaker)]
    assert clips_of(first).isdisjoint(validation)


def test_too_little_speech_is_all_learnt_from():
    found = mixture(speech_in_splits(train=6))
    assert clips_of(found.speaker) == {f"train-{i}" for i in range(6)}
    assert found.speaker_validation == []


def test_speech_without_transcripts_is_learnt_from_too_and_others_are_held_back_alike():
    found = mixture(speech_in_splits(labelled=False, train=40), speech_in_splits(labelled=False, train=40))
    assert found.speaker
    assert found.general
    assert clips_of(found.general).isdisjoint(clips_of(found.general_validation))
    assert found.general_validation
    assert clips_of(found.general_fitted) == clips_of(found.general)
    assert all(window.margin_s is not None for window in (*found.speaker_fitted, *found.general_fitted))

"""Packing and choosing windows, and the order that they are learnt from in."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from adaptwin_core.domain.audio import FITTED_MARGIN_S, FRAMES_PER_S, window_frames
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.ml.base.models import resolve
from adaptwin_core.ml.model.featurizer import Featurizer
from adaptwin_core.ml.model.windows import (
    FITTED_S,
    GAP_S,
    LEAST_MARGIN_S,
    MOST_MARGIN_S,
    WINDOW_FRAMES,
    WINDOW_S,
    NonspeechWindow,
    Window,
    pack,
    pack_fitted,
)
from adaptwin_core.ml.training.mixture import (
    FITTED_SHARE,
    FOLLOWED_WEIGHTS,
    NONSPEECH_SHARE,
    NONSPEECH_WEIGHTS,
    SPEAKER_WEIGHTS,
    UNTRANSCRIBED_WEIGHTS,
    Mixture,
)
from tests.fake_speech import Speech, new_clip


def speech_of(seconds, unlabelled=()):
    """Clips of these lengths, each with its number as its name, its level and, where it has one, its transcript."""
    return Speech(
        [
            new_clip(i, None if i in unlabelled else f"words {i}", seconds=length, level=i)
            for i, length in enumerate(seconds)
        ]
    )


@pytest.fixture
def speech():
    return speech_of(np.random.default_rng(0).uniform(1, 29.9, 60), unlabelled={3, 5})


def test_every_clip_is_packed_once_and_fits(speech):
    windows = pack(speech, "train", seed=0)
    assert sorted(int(clip.id) for window in windows for clip in window.clips) == list(range(60))
    assert all(len(window.audio()) <= WINDOW_S * 16_000 for window in windows)
    assert all(sum(clip.seconds for clip in window.clips) <= WINDOW_S for window in windows)


def test_packing_saves_windows():
    assert len(pack(speech_of([5.0] * 60), "train", seed=0)) < 30


def test_the_seed_sets_the_order(speech):
    first, again, other = (pack(speech, "train", seed=seed) for seed in (1, 1, 2))
    assert [w.clips for w in first] == [w.clips for w in again] != [w.clips for w in other]


def test_a_window_has_text_only_if_all_its_clips_do(speech):
    assert Window(speech, tuple(speech.clips[:2])).text == "words 0 words 1"
    assert Window(speech, tuple(speech.clips[2:4])).text is None
    assert {3, 5}.isdisjoint(int(c.id) for w in pack(speech, "train", seed=0, labelled=True) for c in w.clips)


def test_a_window_has_the_transcripts_as_they_are(speech):
    short = replace(speech.clips[0], text="NASA")
    assert Window(speech, (short, speech.clips[1])).text == "NASA words 1"


def test_general_windows_come_at_their_share_and_none_is_left_out(speech):
    speaker, general = pack(speech, "train", seed=0), pack(speech_of([20.0] * 4), "train", seed=0)
    order = Mixture(speaker, general).order(CompressionSpec(general_share=0.25), 400)
    shares = [weights is FOLLOWED_WEIGHTS for _, weights in order]
    assert sum(shares) / len(shares) == pytest.approx(0.25, abs=0.05)
    assert {id(window) for window, _ in order} == {id(window) for window in (*speaker, *general)}
    assert not any(w is FOLLOWED_WEIGHTS for _, w in Mixture(speaker, []).order(CompressionSpec(), 50))


def test_fitted_windows_hold_the_same_clips_and_end_soon_after_them():
    speech = speech_of([1.0, 2.5, 4.0, 6.0, 8.0, 12.9, 20.0, 29.5] * 6)
    whole = pack(speech, "train", seed=0)
    fitted = pack_fitted(whole, seed=0)
    assert sorted(clip.id for window in fitted for clip in window.clips) == sorted(clip.id for clip in speech.clips)
    margins = [window.margin_s for window in fitted]
    assert LEAST_MARGIN_S <= min(margins) < 0.3
    assert 2.0 < max(margins) <= MOST_MARGIN_S
    for window in fitted:
        spoken_s = sum(clip.seconds + GAP_S for clip in window.clips) - GAP_S
        assert spoken_s <= FITTED_S or len(window.clips) == 1
        assert window.num_frames / FRAMES_PER_S == pytest.approx(min(WINDOW_S, spoken_s + window.margin_s), abs=0.021)
    assert {window.num_frames for window in whole} == {WINDOW_FRAMES}
    assert pack_fitted([], seed=0) == []


def test_a_fitted_window_is_not_taken_for_the_whole_one_of_the_same_clips(speech):
    clips = tuple(speech.clips[:1])
    assert Window(speech, clips).name != Window(speech, clips, margin_s=0.5).name


def test_fitted_windows_come_at_their_share_of_each_kind():
    speaker, general = (pack(speech_of([seconds] * 40), "train", seed=0) for seconds in (6.0, 9.0))
    fitted = {name: pack_fitted(windows, seed=0) for name, windows in (("speaker", speaker), ("general", general))}
    mixture = Mixture(speaker, general, speaker_fitted=fitted["speaker"], general_fitted=fitted["general"])
    order = mixture.order(CompressionSpec(general_share=0.25), 2000)
    for weights, share in ((SPEAKER_WEIGHTS, 0.75), (FOLLOWED_WEIGHTS, 0.25)):
        drawn = [window for window, weighed in order if weighed is weights]
        assert len(drawn) / len(order) == pytest.approx(share, abs=0.04)
        assert sum(window.margin_s is not None for window in drawn) / len(drawn) == pytest.approx(
            FITTED_SHARE, abs=0.05
        )


def test_the_originals_words_count_only_where_there_is_no_transcript():
    for unlabelled, weights in (((), SPEAKER_WEIGHTS), (range(4), UNTRANSCRIBED_WEIGHTS)):
        windows = pack(speech_of([6.0] * 4, unlabelled), "train", seed=0)
        mixture = Mixture(windows, [], speaker_validation=windows)
        assert {weighed for _, weighed in mixture.order(CompressionSpec(), 9)} == {weights}
        assert mixture.validation() == [(windows, weights)]
    assert SPEAKER_WEIGHTS.kl == 0 < UNTRANSCRIBED_WEIGHTS.kl


def test_a_teacher_who_knows_the_speaker_is_followed_for_them_too():
    windows = pack(speech_of([6.0] * 4), "train", seed=0)
    mixture = Mixture(windows, [], teacher_knows_speaker=True)
    assert {weighed for _, weighed in mixture.order(CompressionSpec(), 9)} == {FOLLOWED_WEIGHTS}


def test_nonspeech_windows_come_at_their_share(speech):
    quiet = [NonspeechWindow(np.zeros(480_000, np.float32)) for _ in range(3)]
    order = Mixture(pack(speech, "train", seed=0), [], nonspeech=quiet).order(CompressionSpec(), 1000)
    share = sum(weights is NONSPEECH_WEIGHTS for _, weights in order) / len(order)
    assert share == pytest.approx(NONSPEECH_SHARE, abs=0.02)
    assert {id(window) for window in quiet} < {id(window) for window, _ in order}


@pytest.mark.weights
def test_no_words_are_a_prompt_and_its_end(tmp_path):
    featurizer = Featurizer(resolve("package:whisper-tiny.en", tmp_path), "en")
    end = featurizer.tokenizer.eos_token_id
    assert featurizer.labels("").tolist() == [[*featurizer.prompt(), end]]
    assert featurizer.labels("yes").tolist()[0][: len(featurizer.prompt())] == featurizer.prompt()
    assert len(featurizer.labels("yes")[0]) == len(featurizer.prompt()) + 2


@pytest.mark.weights
@pytest.mark.parametrize("num_samples", [2_000, 66_000, 66_001, 400_000, 480_000])
@pytest.mark.parametrize("margin_s", [LEAST_MARGIN_S, FITTED_MARGIN_S])
def test_a_short_window_has_the_features_of_a_whole_one(tmp_path, num_samples, margin_s):
    featurizer = Featurizer(resolve("package:whisper-tiny.en", tmp_path), "en")
    noise = np.random.default_rng(0).normal(size=num_samples).astype(np.float32)
    num_frames = window_frames(num_samples, margin_s)
    short_1MT, whole_1MT = featurizer.features([noise], num_frames), featurizer.features([noise])
    assert short_1MT.shape[-1] == num_frames
    assert torch.equal(short_1MT, whole_1MT[..., :num_frames])

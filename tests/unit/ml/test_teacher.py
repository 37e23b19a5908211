"""What was heard when the speech was measured is not computed again; clips without words share their asking."""

from dataclasses import replace

import torch

from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.task_keys import ShardKey, SpeechKind
from adaptwin_core.ml.model import windows
from adaptwin_core.ml.model.transcription import BATCH
from adaptwin_core.ml.model.windows import Window
from adaptwin_core.ml.stages.calibrate import calibrate
from adaptwin_core.ml.stages.calibrations import encoded_windows
from adaptwin_core.ml.training import teacher
from adaptwin_core.ml.training.teacher import Teacher
from tests.fake_speech import Speech, new_clip
from tests.unit.ml.conftest import random_whisper
from tests.unit.ml.small_recipe import Levels, small_recipe

NUM_SHARDS = 2


def test_the_original_hears_the_same_with_and_without_what_was_measured(monkeypatch, tmp_path):
    recipe = small_recipe(monkeypatch, calibration_windows=6, layer_windows=4)
    shards = {}
    for index in range(NUM_SHARDS):
        folder = tmp_path / str(index)
        folder.mkdir()
        key = ShardKey(index, NUM_SHARDS)
        shards[key] = calibrate(recipe, key, folder)
    encoded = encoded_windows(replace(recipe, results={**recipe.results, Stage.CALIBRATE: shards}))
    packed = [window for kind in SpeechKind for window in recipe.windows(kind)]
    known = [window for window in packed if window.name in encoded]
    assert len(known) == len(encoded) == 6 + len(recipe.windows(SpeechKind.GENERAL))
    model = random_whisper()
    runs = []
    model.model.encoder.conv1.register_forward_hook(lambda *_: runs.append(1))
    knowing, fresh = Teacher(model, Levels(), encoded), Teacher(model, Levels())
    for window in packed:
        before = len(runs)
        told = knowing.example(window)
        assert len(runs) - before == (window not in known)
        again = fresh.example(window)
        assert torch.equal(told.encoded_1SD, again.encoded_1SD)
        assert torch.equal(told.decoded_1LD, again.decoded_1LD)


def spoken(*levels, texts=None, **window):
    """A window of clips of a second, each of its own level."""
    texts = texts or [None] * len(levels)
    clips = tuple(new_clip(level, text, level=level) for level, text in zip(levels, texts, strict=True))
    return Window(Speech(clips), clips, **window)


def test_the_teacher_hears_the_whole_of_a_fitted_window_and_is_followed_in_its_frames(monkeypatch):
    # A small Whisper has 60 frames.
    monkeypatch.setattr(windows, "window_frames", lambda _samples, margin_s: 60 if margin_s is None else 40)
    fitted, whole = (
        Teacher(random_whisper(), Levels()).example(spoken(3, texts=["said"], margin_s=margin_s))
        for margin_s in (0.5, None)
    )
    assert torch.equal(fitted.features_1MT, whole.features_1MT[..., :40])
    assert torch.equal(fitted.encoded_1SD, whole.encoded_1SD[:, :20])
    assert torch.equal(fitted.decoded_1LD, whole.decoded_1LD)


def test_clips_without_words_are_asked_for_in_batches_and_once(monkeypatch):
    batches = []

    def transcribe_batch(_model, _featurizer, audios):
        batches.append([int(audio[0]) for audio in audios])
        return [f"word {level}" for level in batches[-1]]

    monkeypatch.setattr(teacher, "transcribe_batch", transcribe_batch)
    hearing = Teacher(random_whisper(), Levels())
    pairs = [spoken(level, level + 1) for level in range(0, BATCH + 2, 2)]
    mixed = spoken(50, 1, texts=["SAID SO", None])
    order = [pairs[0], mixed, *pairs, *pairs]
    hearing.expect(order)
    for window in [mixed, *order]:
        said = " ".join("SAID SO" if clip.text else f"word {clip.start}" for clip in window.clips)
        assert torch.equal(hearing.example(window).labels_1L, Levels().labels(said))
    assert batches == [[1, 0, *range(2, BATCH)], [BATCH, BATCH + 1]]
    hearing.example(spoken(70))
    assert batches[2:] == [[70]]

"""What was heard when the speech was measured is not computed again; windows without words share their asking."""

from types import SimpleNamespace

import numpy as np
import torch

from adaptwin_core.ml import teacher
from adaptwin_core.ml.decode import BATCH
from adaptwin_core.ml.measured import encoded_windows, measure
from adaptwin_core.ml.teacher import Teacher
from adaptwin_core.ml.windows import NUM_FRAMES
from tests.unit.ml.conftest import random_whisper
from tests.unit.ml.small_setting import Levels, small_setting

NUM_SHARDS = 2


def test_the_original_hears_the_same_with_and_without_what_was_measured(monkeypatch, tmp_path):
    setting = small_setting(monkeypatch, calibration_windows=6, layer_windows=4)
    shards = []
    for shard in range(NUM_SHARDS):
        folder = tmp_path / str(shard)
        folder.mkdir()
        shards.append(measure(setting, shard, NUM_SHARDS, folder))
    encoded = encoded_windows(setting, shards)
    windows = [*setting.windows(setting.speaker), *setting.windows(setting.general)]
    known = [window for window in windows if window.name in encoded]
    assert len(known) == len(encoded) == 6 + len(setting.windows(setting.general))
    model = random_whisper()
    runs = []
    model.model.encoder.conv1.register_forward_hook(lambda *_: runs.append(1))
    knowing, fresh = Teacher(model, Levels(), encoded), Teacher(model, Levels())
    for window in windows:
        before = len(runs)
        told = knowing.hear(window)
        assert len(runs) - before == (window not in known)
        again = fresh.hear(window)
        assert torch.equal(told.encoded_1SD, again.encoded_1SD)
        assert torch.equal(told.decoded_1LD, again.decoded_1LD)


def spoken(level, text=None):
    return SimpleNamespace(text=text, num_frames=NUM_FRAMES, audio=lambda: np.full(16_000, level, np.float32))


def test_of_a_short_window_only_its_frames_are_heard(monkeypatch):
    window = spoken(3, "said")
    heard_whole = Teacher(random_whisper(), Levels()).hear(window)
    window.num_frames = 40
    heard = Teacher(random_whisper(), Levels()).hear(window)
    assert torch.equal(heard.features_1MT, heard_whole.features_1MT[..., :40])
    assert heard.encoded_1SD.shape[1] == 20


def test_windows_without_words_are_asked_for_in_batches_and_once(monkeypatch):
    batches = []

    def transcribe_batch(_model, _featurizer, audios):
        batches.append([int(audio[0]) for audio in audios])
        return [f"word {level}" for level in batches[-1]]

    monkeypatch.setattr(teacher, "transcribe_batch", transcribe_batch)
    silent = [spoken(level) for level in range(BATCH + 2)]
    labelled = spoken(50, "said")
    hearing = Teacher(random_whisper(), Levels())
    hearing.expect([silent[0], labelled, *silent, *silent])
    order = [labelled, *silent, *silent]
    for window in order:
        said = window.text or f"word {int(window.audio()[0])}"
        assert torch.equal(hearing.hear(window).labels_1L, Levels().labels(said))
    assert batches == [list(range(BATCH)), [BATCH, BATCH + 1]]
    unexpected = spoken(70)
    hearing.hear(unexpected)
    assert batches[2:] == [[70]]

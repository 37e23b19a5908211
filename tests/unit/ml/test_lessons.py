"""What was heard when the speech was measured is not computed again, and makes no difference."""

from pathlib import Path

import numpy as np
import pytest
import torch

from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.ml import measured
from adaptwin_core.ml.adapter import shape_of
from adaptwin_core.ml.lessons import Teacher
from adaptwin_core.ml.measured import encoded_windows, measure
from adaptwin_core.ml.setting import Setting
from adaptwin_core.speech.corpus import Clip
from tests.unit.ml.conftest import random_whisper

NUM_SHARDS = 2


class Speech:
    """Twelve-second clips, each of another level."""

    def __init__(self, digest, first, count):
        self.digest, self.first = digest, first
        self.clips = [
            Clip(f"clip-{i}", f"clip-{i}", f"word {first + i}", "train", "s", i, 192_000) for i in range(count)
        ]

    def split(self, name):
        return [clip for clip in self.clips if clip.split == name]

    def audio(self, clip):
        return np.full(clip.num_samples, self.first + clip.start + 1, np.float32)


class Levels:
    """Features drawn by what is heard, tokens by the words' letters."""

    def features(self, audios):
        seed = int(audios[0].sum())
        return torch.randn(1, 8, 60, generator=torch.Generator().manual_seed(seed))

    def prompt(self):
        return [3]

    def labels(self, text):
        return torch.tensor([[3, *(4 + ord(letter) % 90 for letter in text[:20]), 2]])


class SmallSetting(Setting):
    def featurizer(self):
        return Levels()


@pytest.fixture
def setting(monkeypatch):
    monkeypatch.setattr(measured, "load_whisper", lambda _folder: random_whisper())
    spec = CompressionSpec(encoder_cut=0.3, decoder_cut=0.3, calibration_windows=6, layer_windows=4)
    shape = shape_of(random_whisper().config)
    return SmallSetting(Path(), shape, spec, Speech("speaker", 0, 20), Speech("general", 100, 4))


def test_the_original_hears_the_same_with_and_without_what_was_measured(setting, tmp_path):
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
    model.model.encoder.register_forward_hook(lambda *_: runs.append(1))
    knowing, fresh = Teacher(model, Levels(), encoded), Teacher(model, Levels())
    for window in windows:
        before = len(runs)
        told = knowing.hear(window)
        assert len(runs) - before == (window not in known)
        again = fresh.hear(window)
        assert torch.equal(told.encoded_1SD, again.encoded_1SD)
        assert torch.equal(told.decoded_1LD, again.decoded_1LD)

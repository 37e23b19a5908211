"""What was heard when the speech was measured is not computed again, and makes no difference."""

import torch

from adaptwin_core.ml.lessons import Teacher
from adaptwin_core.ml.measured import encoded_windows, measure
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
    model.model.encoder.register_forward_hook(lambda *_: runs.append(1))
    knowing, fresh = Teacher(model, Levels(), encoded), Teacher(model, Levels())
    for window in windows:
        before = len(runs)
        told = knowing.hear(window)
        assert len(runs) - before == (window not in known)
        again = fresh.hear(window)
        assert torch.equal(told.encoded_1SD, again.encoded_1SD)
        assert torch.equal(told.decoded_1LD, again.decoded_1LD)

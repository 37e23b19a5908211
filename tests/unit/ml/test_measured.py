"""What measuring counts, whatever the number of shards."""

import pytest
import torch

from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.ml.stages.measured import ENOUGH_WINDOWS, measure, mixed_moments, read_shards
from tests.unit.ml.small_setting import small_setting

BLOCK = "encoder.0.self"


def measured(setting, folder, num_shards):
    shards = []
    for shard in range(num_shards):
        place = folder / f"{shard}-of-{num_shards}"
        place.mkdir(parents=True)
        shards.append(measure(setting, shard, num_shards, place))
    return read_shards(BLOCK, shards)


def counted(shards, kind):
    return sum(int(tensors.get(f"{kind}.count.q_HKK", 0)) for tensors in shards)


@pytest.mark.parametrize("num_shards", [1, 3])
def test_windows_that_sizes_are_weighed_on_are_not_in_the_moments_where_there_are_enough(
    monkeypatch, tmp_path, num_shards
):
    setting = small_setting(monkeypatch, num_clips=24, calibration_windows=ENOUGH_WINDOWS)
    positions = setting.shape.max_source_positions
    shards = measured(setting, tmp_path, num_shards)
    assert counted(shards, "speaker") == (ENOUGH_WINDOWS - 1) * positions
    num_general = len(setting.windows(setting.general))
    assert 0 < num_general < ENOUGH_WINDOWS
    assert counted(shards, "general") == num_general * positions
    assert {name for tensors in shards for name in tensors if name.startswith("input.speaker.00000")}


def test_speech_without_a_clip_to_train_on_is_refused(monkeypatch, tmp_path):
    setting = small_setting(monkeypatch, num_clips=0)
    with pytest.raises(InvalidAudio, match="nothing to train on"):
        measure(setting, 0, 1, tmp_path)


def test_shards_add_up_to_the_whole(monkeypatch, tmp_path):
    setting = small_setting(monkeypatch, num_clips=24, calibration_windows=ENOUGH_WINDOWS)
    whole, parts = (
        mixed_moments(setting, measured(setting, tmp_path, num_shards), torch.device("cpu")) for num_shards in (1, 3)
    )
    for name, mean in whole.items():
        torch.testing.assert_close(parts[name], mean, rtol=1e-9, atol=1e-12)

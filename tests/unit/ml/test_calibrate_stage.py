"""What calibration counts, whatever the number of shards."""

from dataclasses import asdict, replace

import pytest
import torch

from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.domain.shape import BlockId
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.task_keys import ShardKey, SpeechKind
from adaptwin_core.ml.stages.calibrate import ENOUGH_WINDOWS, calibrate
from adaptwin_core.ml.stages.calibrations import mixed_moments, read_shards
from tests.unit.ml.small_recipe import small_recipe

BLOCK = BlockId.parse("encoder.0.self")


def calibrated(recipe, folder, num_shards):
    """Return the recipe with every shard calibrated."""
    shards = {}
    for index in range(num_shards):
        key = ShardKey(index, num_shards)
        place = folder / str(key)
        place.mkdir(parents=True)
        shards[key] = calibrate(recipe, key, place)
    return replace(recipe, results={**recipe.results, Stage.CALIBRATE: shards})


def counted(shards, kind):
    return sum(int(tensors.get(f"{kind}.count.q_HKK", 0)) for tensors in shards)


@pytest.mark.parametrize("num_shards", [1, 3])
def test_windows_that_sizes_are_weighed_on_are_not_in_the_moments_where_there_are_enough(
    monkeypatch, tmp_path, num_shards
):
    recipe = small_recipe(monkeypatch, num_clips=24, calibration_windows=ENOUGH_WINDOWS)
    positions = recipe.shape.max_source_positions
    shards = read_shards(calibrated(recipe, tmp_path, num_shards), BLOCK)
    assert counted(shards, "speaker") == (ENOUGH_WINDOWS - 1) * positions
    num_general = len(recipe.windows(SpeechKind.GENERAL))
    assert 0 < num_general < ENOUGH_WINDOWS
    assert counted(shards, "general") == num_general * positions
    assert {name for tensors in shards for name in tensors if name.startswith("input.speaker.00000")}


def test_speech_without_a_clip_to_train_on_is_refused(monkeypatch, tmp_path):
    recipe = small_recipe(monkeypatch, num_clips=0)
    with pytest.raises(InvalidAudio, match="nothing to train on"):
        calibrate(recipe, ShardKey(0, 1), tmp_path)


def test_shards_add_up_to_the_whole(monkeypatch, tmp_path):
    recipe = small_recipe(monkeypatch, num_clips=24, calibration_windows=ENOUGH_WINDOWS)
    made = [calibrated(recipe, tmp_path, num_shards) for num_shards in (1, 3)]
    whole, parts = (mixed_moments(of, read_shards(of, BLOCK), torch.device("cpu")) for of in made)
    torch.testing.assert_close(asdict(parts), asdict(whole), rtol=1e-9, atol=1e-12)

"""Moments are what direct computation gives, add up over windows and shards, and survive a file."""

import pytest
import torch

from adaptwin_core.domain.shape import BlockId, blocks_of
from adaptwin_core.ml.compression import calibration
from adaptwin_core.ml.compression.measurement import measuring
from adaptwin_core.ml.compression.moments import MomentSums, mix
from adaptwin_core.ml.model.adapter import block_modules, encode, layer_of, shape_of
from adaptwin_core.ml.model.windows import pack
from tests.fake_speech import Speech, new_clip
from tests.unit.ml.conftest import run
from tests.unit.ml.small_recipe import Levels


@pytest.fixture
def measured(model):
    block = BlockId.parse("encoder.1.self")
    layer = layer_of(model, block)
    seen = {}
    modules = block_modules(layer, block)
    handles = [
        modules.query.register_forward_hook(lambda _m, _i, out: seen.update(q=out)),
        modules.key.register_forward_hook(lambda _m, _i, out: seen.update(k=out)),
        modules.output.register_forward_pre_hook(lambda _m, args: seen.update(z=args[0])),
        modules.ff_second.register_forward_pre_hook(lambda _m, args: seen.update(f=args[0])),
    ]
    with measuring([(block, layer)]) as moments:
        run(model, num_windows=3)
    for handle in handles:
        handle.remove()
    return moments[str(block)].means(), {name: value.double() for name, value in seen.items()}, modules


def test_queries_keep_their_bias_and_their_mean(measured):
    means, seen, _ = measured
    head = seen["q"][..., 8:16].flatten(0, 1)
    torch.testing.assert_close(means.queries_HKK[1], head.T @ head / len(head), rtol=1e-4, atol=1e-5)


def test_keys_are_centred_within_each_window(measured):
    means, seen, _ = measured
    head = seen["k"][..., 8:16]
    head = (head - head.mean(1, keepdim=True)).flatten(0, 1)
    torch.testing.assert_close(means.keys_HKK[1], head.T @ head / len(head), rtol=1e-4, atol=1e-5)


def test_attended_values_leave_the_value_bias_out(measured):
    means, seen, modules = measured
    z = (seen["z"] - modules.value.bias.double()).flatten(0, 1)
    torch.testing.assert_close(means.attended.mean_N, z.mean(0), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(means.attended.second_NN, z.T @ z / len(z), rtol=1e-4, atol=1e-5)


def test_activations_between_the_two_feed_forward_matrices(measured):
    means, seen, _ = measured
    f = seen["f"].flatten(0, 1)
    torch.testing.assert_close(means.neurons.mean_N, f.mean(0), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(means.neurons.second_NN, f.T @ f / len(f), rtol=1e-4, atol=1e-4)


def test_shards_add_up_to_the_whole(model):
    block = BlockId.parse("decoder.0.cross")

    def over(*seeds):
        with measuring([(block, layer_of(model, block))]) as moments:
            for seed in seeds:
                run(model, num_windows=1, seed=seed)
        return moments[str(block)]

    whole, parts = over(1, 2, 3), over(1) + over(2, 3)
    assert whole.counts == parts.counts
    for name, value in whole.sums.items():
        torch.testing.assert_close(parts.sums[name], value)


def one_number(total, count):
    """Return sums of a block without a feed-forward, each of them `total` over `count` positions."""
    names = ("q_HKK", "k_HKK", "z_DD", "z_D")
    return MomentSums({name: torch.tensor([total]).double() for name in names}, dict.fromkeys(names, count))


def test_moments_survive_a_file():
    moments = MomentSums({"x_D": torch.randn(4, dtype=torch.float64)}, {"x_D": 7})
    again = MomentSums.from_tensors(moments.to_tensors("speaker") | MomentSums().to_tensors("general"), "speaker")
    assert torch.equal(again.sums["x_D"], moments.sums["x_D"])
    assert again.counts == {"x_D": 7}
    assert MomentSums.from_tensors(moments.to_tensors("speaker"), "general").sums == {}


def test_the_knob_mixes_means_not_sums():
    speaker, general = one_number(10.0, 10), one_number(3000.0, 1000)
    for mixed, expected in (
        (mix(speaker, general, 0.75), 0.75 * 1 + 0.25 * 3),
        (mix(speaker, general, 1.0), 1),
        (mix(speaker, None, 0.2), 1),
    ):
        for found in (mixed.queries_HKK, mixed.keys_HKK, mixed.attended.second_NN, mixed.attended.mean_N):
            assert found.item() == pytest.approx(expected)


def test_untranscribed_speech_is_measured_as_the_words_that_the_model_hears_in_it(monkeypatch, model):
    """The transcription runs the same layers: its passes are neither counted nor kept."""

    def transcribe_batch(_model, featurizer, audios):
        with torch.inference_mode():
            encode(model, featurizer.features(audios))
        return ["word"] * len(audios)

    monkeypatch.setattr(calibration, "transcribe_batch", transcribe_batch)
    blocks = [block for half in ("encoder", "decoder") for block in blocks_of(shape_of(model.config), half)]
    untold, told = (
        calibration.calibrate(
            model, Levels(), blocks, pack(Speech([new_clip(0, text, seconds=12)]), "train", seed=0), num_kept=1
        )
        for text in (None, "word")
    )
    for block in map(str, blocks):
        assert [x.shape for x in untold.inputs_1TD[block]] == [x.shape for x in told.inputs_1TD[block]]
        expected, found = (made.moments[block].to_tensors("speaker") for made in (told, untold))
        assert expected.keys() == found.keys()
        assert all(torch.equal(expected[name], found[name]) for name in expected)

"""The alternatives are given their due: they remove what is asked, and use the speech they are given."""

import copy

import pytest
import torch

from bench.frontier import baselines
from tests.unit.ml.conftest import random_whisper

CUT = 0.2


@pytest.fixture
def model():
    return random_whisper()


@pytest.fixture
def windows():
    """Coloured noise of few directions, so that outputs have principal axes."""
    generator = torch.Generator().manual_seed(2)
    colour = torch.randn(3, 8, generator=generator)
    return [(torch.randn(60, 3, generator=generator) @ colour).mT.unsqueeze(0) for _ in range(6)]


def encoder_params(model):
    return sum(p.numel() for name, p in model.model.encoder.named_parameters() if "embed_positions" not in name)


@torch.no_grad()
def error(cut, model, windows):
    pairs = [(cut.model.encoder(x).last_hidden_state, model.model.encoder(x).last_hidden_state) for x in windows]
    return sum(float((a - b).square().sum() / b.square().sum()) for a, b in pairs) / len(pairs)


def removed(cut, model):
    return 1 - encoder_params(cut) / encoder_params(model)


def test_both_remove_what_is_asked_and_speech_helps(model, windows):
    alone, guided = copy.deepcopy(model), copy.deepcopy(model)
    baselines.independent_svd(alone, CUT)
    moments = baselines.measure_outputs(model, windows[:4])
    baselines.output_pca(guided, moments, cut=CUT)
    for cut in (alone, guided):
        assert CUT - 0.01 <= removed(cut, model) < CUT + 0.06  # ranks of so small a matrix are coarse
    assert error(guided, model, windows[4:]) < 0.8 * error(alone, model, windows[4:])


def test_output_pca_leaves_alone_what_it_cannot_shrink(model, windows):
    moments = baselines.measure_outputs(model, windows)
    cut = copy.deepcopy(model)
    baselines.output_pca(cut, moments)
    for name, module in cut.model.encoder.layers.named_modules():
        if isinstance(module, baselines.LowRankLinear):
            whole = dict(model.model.encoder.layers.named_modules())[name].weight
            assert sum(p.numel() for p in (module.down.weight, module.up.weight)) < whole.numel()
    assert removed(cut, model) >= -0.01  # keys gain a bias


def test_calibration_sums_what_the_layers_give(model, windows):
    seen = []
    layer = model.model.encoder.layers[1].fc2
    handle = layer.register_forward_hook(lambda _m, _i, out: seen.append(out.flatten(0, 1).double()))
    found = baselines.measure_outputs(model, windows)["1.fc2"]
    handle.remove()
    torch.testing.assert_close(found.covariance(), torch.cov(torch.cat(seen).mT, correction=0), rtol=1e-4, atol=1e-6)

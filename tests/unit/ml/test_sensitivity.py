"""Sensitivities are what the whole model loses when one part is cut, and more is lost the less is kept."""

import pytest
import torch

from adaptwin_core.domain.plan import BlockPlan
from adaptwin_core.domain.sensitivity import sizes_of
from adaptwin_core.domain.shape import BlockId
from adaptwin_core.ml.compression import sensitivity
from adaptwin_core.ml.compression.cut_layer import BlockInput, build_cut_layer
from adaptwin_core.ml.compression.factorization import factorize_block, rank_neurons
from adaptwin_core.ml.compression.sensitivity import WeighedInput, measure_sensitivities
from adaptwin_core.ml.model.adapter import layer_of, run_block, shape_of
from adaptwin_core.ml.model.loading import load_from


def sensitivities(model, moments, name, inputs):
    block = BlockId.parse(name)
    means = moments[name]
    order_F = rank_neurons(layer_of(model, block), block, means) if block.has_ff else None
    return measure_sensitivities(model, block, sizes_of(shape_of(model.config), block), means, inputs, order_F)


@pytest.fixture
def inputs():
    generator = torch.Generator().manual_seed(4)
    return [
        WeighedInput(
            BlockInput(torch.randn(1, 30, 32, generator=generator), torch.randn(1, 30, 32, generator=generator)), weight
        )
        for weight in (0.7, 0.3)
    ]


@pytest.mark.parametrize("name", ["encoder.0.self", "encoder.1.self", "decoder.0.self", "decoder.1.cross"])
def test_losses_grow_as_less_is_kept(model, moments, inputs, name):
    found = sensitivities(model, moments, name, inputs)
    assert [(o.part, o.kept) for o in found] == sizes_of(shape_of(model.config), BlockId.parse(name))
    for part in {o.part for o in found}:
        losses = [o.loss for o in found if o.part == part]
        assert losses[0] < losses[-1]
        assert all(loss > 0 for loss in losses)


def test_a_loss_in_the_first_encoder_layer_is_the_error_of_the_encoder(model, moments, inputs):
    """Recomputed by hand through both layers and the final norm."""
    block, last = BlockId.parse("encoder.0.self"), BlockId.parse("encoder.1.self")
    found = sensitivities(model, moments, "encoder.0.self", inputs)
    plan = BlockPlan(neurons=64)
    layer = layer_of(model, block)
    cut = build_cut_layer(layer, block, plan, factorize_block(layer, block, plan, moments["encoder.0.self"]))
    total = 0.0
    with torch.no_grad():
        for item in inputs:
            ends = [
                model.model.encoder.layer_norm(run_block(layer_of(model, last), last, run_block(first, block, x)))
                for first in (layer, cut)
                for x in [item.reaches.hidden_BTD]
            ]
            total += item.weight * ((ends[1] - ends[0]).square().sum() / ends[0].square().sum()).item()
    assert next(o.loss for o in found if (o.part, o.kept) == ("neurons", 64)) == pytest.approx(total, rel=1e-4)


@pytest.mark.parametrize("name", ["encoder.0.self", "decoder.0.cross"])
def test_losses_between_those_run_on_are_near_what_running_on_gives(model, moments, inputs, name, monkeypatch):
    quick = sensitivities(model, moments, name, inputs)
    monkeypatch.setattr(sensitivity, "_sizes_to_run_on", lambda sizes: set(range(len(sizes))))
    whole = sensitivities(model, moments, name, inputs)
    ratios = [a.loss / b.loss for a, b in zip(quick, whole, strict=True)]
    assert any(ratio != 1 for ratio in ratios)
    assert all(0.5 < ratio < 2 for ratio in ratios)


@pytest.mark.parametrize("name", ["encoder.0.self", "encoder.1.self", "decoder.0.self", "decoder.1.cross"])
def test_the_layers_from_a_block_on_are_enough_to_weigh_it(model, moments, inputs, name, tmp_path):
    model.save_pretrained(tmp_path)
    block = BlockId.parse(name)
    part = load_from(tmp_path, block, torch.device("cpu"))
    assert part.get_input_embeddings().weight.is_meta, "what is not needed is not read"
    assert sensitivities(part, moments, name, inputs) == sensitivities(model, moments, name, inputs)

"""The layer-wise phase: a cut block comes nearer to the original, keeps its size, and never gets worse."""

import pytest
import torch

from adaptwin_core.domain.plan import BlockPlan
from adaptwin_core.domain.shape import BlockId
from adaptwin_core.ml.compression.cut_layer import BlockInput, build_cut_layer
from adaptwin_core.ml.compression.factorization import factorize_block
from adaptwin_core.ml.model.adapter import layer_of, run_block
from adaptwin_core.ml.training.block_tuning import tune_block


@pytest.fixture(params=["encoder.0.self", "decoder.1.self", "decoder.0.cross"])
def cut(request, model, moments):
    block = BlockId.parse(request.param)
    layer = layer_of(model, block)
    plan = BlockPlan(qk=4, vo=4, fc1=12, fc2=12) if block.has_ff else BlockPlan(qk=4, vo=4)
    closed_form = factorize_block(layer, block, plan, moments[str(block)])
    generator = torch.Generator().manual_seed(4)
    inputs = [
        BlockInput(torch.randn(1, 20, 32, generator=generator), torch.randn(1, 30, 32, generator=generator))
        for _ in range(8)
    ]
    return layer, build_cut_layer(layer, block, plan, closed_form), block, inputs, closed_form


def tune(cut, **settings):
    layer, cut_layer, block, inputs, _ = cut
    return tune_block(
        layer, cut_layer, block, inputs, **{"lora_rank": 4, "steps": 40, "learning_rate": 3e-3, "seed": 0} | settings
    )


def test_tuning_lowers_the_error_and_keeps_every_shape(cut):
    tuned = tune(cut)
    assert tuned.error_after < 0.9 * tuned.error_before
    assert {name: t.shape for name, t in tuned.state.items()} == {name: t.shape for name, t in cut[4].state.items()}


def test_the_returned_weights_are_the_ones_that_were_scored(cut, model):
    layer, _, block, inputs, closed_form = cut
    tuned = tune(cut)
    plan = BlockPlan(qk=4, vo=4, fc1=12, fc2=12) if block.has_ff else BlockPlan(qk=4, vo=4)
    rebuilt = build_cut_layer(layer, block, plan, type(closed_form)(tuned.state, {}))
    with torch.no_grad():
        errors = []
        for item in inputs[-2:]:  # the quarter that tuning never saw
            target = run_block(layer, block, item.hidden_BTD, item.encoder_BSD)
            lost = run_block(rebuilt, block, item.hidden_BTD, item.encoder_BSD) - target
            errors.append((lost.square().sum() / (target - item.hidden_BTD).square().sum()).item())
    assert sum(errors) / len(errors) == pytest.approx(tuned.error_after, rel=1e-4)


def test_a_ruinous_learning_rate_leaves_the_closed_form_in_place(cut):
    tuned = tune(cut, learning_rate=0.1, steps=3, lora_rank=8)
    assert tuned.error_after <= tuned.error_before


def test_the_same_seed_gives_the_same_weights(model, moments):
    block = BlockId.parse("encoder.1.self")
    layer, plan = layer_of(model, block), BlockPlan(qk=4)
    inputs = [BlockInput(torch.randn(1, 20, 32)) for _ in range(3)]

    def once():
        cut_layer = build_cut_layer(layer, block, plan, factorize_block(layer, block, plan, moments[str(block)]))
        return tune_block(layer, cut_layer, block, inputs, lora_rank=2, steps=5, learning_rate=1e-3, seed=7).state

    first, second = once(), once()
    assert all(torch.equal(first[name], second[name]) for name in first)

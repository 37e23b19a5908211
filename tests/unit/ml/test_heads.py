"""Heads go in the order of what is lost without them, and the others make up for what they can."""

import pytest
import torch

from adaptwin_core.domain.plan import BlockPlan
from adaptwin_core.domain.shape import BlockId
from adaptwin_core.ml.compression import heads
from adaptwin_core.ml.compression.cut_layer import build_cut_layer
from adaptwin_core.ml.compression.factorization import factorize_block
from adaptwin_core.ml.compression.measurement import measuring
from adaptwin_core.ml.model.adapter import layer_of, run_block
from tests.unit.ml.conftest import random_whisper, run

BLOCK = BlockId.parse("encoder.1.self")
NUM_HEADS, SIZE = 4, 8


def measured(model):
    layer = layer_of(model, BLOCK)
    with measuring([(BLOCK, layer)]) as found:
        run(model)
    return layer, found[str(BLOCK)].means()


def attended(num=4000):
    """Return correlated values_NE of four heads, and an output matrix_DE that needs the later heads more."""
    torch.manual_seed(0)
    mixed = torch.randn(num, NUM_HEADS * SIZE).double() @ torch.randn(NUM_HEADS * SIZE, NUM_HEADS * SIZE).double()
    scale = torch.linspace(0.5, 2, NUM_HEADS).repeat_interleave(SIZE).double()
    return mixed, torch.randn(16, NUM_HEADS * SIZE).double() * scale


def lost(values_NE, output_DE, kept):
    """Return the squared error of the best refit on the kept heads, by least squares on the values themselves."""
    centred = values_NE - values_NE.mean(0)
    columns = torch.cat([torch.arange(h * SIZE, (h + 1) * SIZE) for h in kept])
    wanted = centred @ output_DE.mT
    return float(
        (wanted - centred[:, columns] @ torch.linalg.lstsq(centred[:, columns], wanted).solution).square().sum()
    )


def test_each_head_that_goes_is_the_one_that_is_missed_least():
    values_NE, output_DE = attended()
    order = heads.rank(torch.cov(values_NE.mT), output_DE, NUM_HEADS).tolist()
    for keep in range(NUM_HEADS - 1, 0, -1):
        choices = [[h for h in order[: keep + 1] if h != gone] for gone in order[: keep + 1]]
        best = min(lost(values_NE, output_DE, kept) for kept in choices)
        assert lost(values_NE, output_DE, order[:keep]) == pytest.approx(best, rel=1e-3)


@pytest.mark.parametrize("sizes", [{}, {"qk": SIZE, "vo": SIZE}])
def test_a_head_that_says_what_another_says_goes_without_loss(sizes):
    altered = random_whisper(seed=7)
    attention = layer_of(altered, BLOCK).self_attn
    with torch.no_grad():
        for name in ("q_proj", "k_proj", "v_proj"):
            for tensor in getattr(attention, name).parameters():
                by_head = tensor.unflatten(0, (NUM_HEADS, -1))
                by_head[3] = by_head[1]
    layer, moments = measured(altered)
    plan = BlockPlan(heads=NUM_HEADS - 1, **sizes)
    cut = factorize_block(layer, BLOCK, plan, moments)
    small, hidden = build_cut_layer(layer, BLOCK, plan, cut), torch.randn(2, 9, 32)
    assert cut.state["self_attn.q_proj.weight"].shape == ((NUM_HEADS - 1) * SIZE, 32)
    assert cut.state["self_attn.out_proj.weight"].shape == (32, (NUM_HEADS - 1) * SIZE)
    torch.testing.assert_close(run_block(small, BLOCK, hidden), run_block(layer, BLOCK, hidden), atol=1e-3, rtol=0)
    assert max(cut.errors.values()) < 1e-6


def test_fewer_heads_lose_more(model, moments):
    layer, of_block = layer_of(model, BLOCK), moments[str(BLOCK)]
    errors = [factorize_block(layer, BLOCK, BlockPlan(heads=n), of_block).errors["heads"] for n in (3, 2, 1)]
    assert 0 < errors[0] < errors[1] < errors[2] < 1

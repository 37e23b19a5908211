"""The arithmetic of a model's size agrees with models that were built and counted."""

import pytest

from adaptwin_core.domain.model_size import size_of
from adaptwin_core.domain.plan import BlockPlan, RankPlan
from adaptwin_core.domain.planner import make_plan
from adaptwin_core.domain.shape import ModelShape
from adaptwin_core.domain.spec import CompressionSpec
from bench.runner import Row, results_of
from bench.sizes import SHAPES
from tests.published_whispers import WHISPERS, shape

COUNTED: list[Row] = [row for run in results_of("sizes") for row in run["rows"] if "cut" in row]


def shape_named(name: str) -> ModelShape:
    found = SHAPES[name]
    return shape(found.width, found.heads, found.layers, found.decoder_layers, found.vocab, found.mels)


@pytest.mark.parametrize("counted", COUNTED, ids=lambda row: f"{row['model']}-{row['cut']}")
def test_sizes_are_those_that_were_counted(counted: Row) -> None:
    whole, plan = shape_named(counted["model"]), RankPlan(blocks={})
    if counted["cut"]:
        plan = make_plan(CompressionSpec(encoder_cut=counted["cut"], plan="uniform"), whole)
    for weights in ("float16", "int8", "int4"):
        found = size_of(whole, plan, weights)
        assert found.bytes == counted[f"{weights}_bytes"], weights
        assert (found.encoder_params, found.total_params) == (counted["encoder_params"], counted["total_params"])


def test_sizes_are_counted() -> None:
    assert len(COUNTED) >= 40


def test_a_matrix_of_an_odd_number_of_inputs_takes_8_bits() -> None:
    tiny = WHISPERS["tiny"]
    d, f = tiny.d_model, tiny.encoder_ffn
    even, odd = (
        size_of(tiny, RankPlan(blocks={"encoder.0.self": BlockPlan(fc1=rank, fc2=rank)}), "int4").bytes
        for rank in (64, 65)
    )
    into = (d + f) // 2 + 3 * (d + f) // 32  # one row more in each of the two matrices that lead into the rank
    out_of_64, out_of_65 = (d + f) * (64 // 2 + 3 * 64 // 32), (d + f) * (65 + 2)
    assert odd - even == into + out_of_65 - out_of_64

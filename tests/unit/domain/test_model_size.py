"""The arithmetic of a model's size agrees with models that were built and counted."""

import pytest

from adaptwin_core.domain.model_size import size_of
from adaptwin_core.domain.plan import BlockPlan, RankPlan
from adaptwin_core.domain.planner import make_plan
from adaptwin_core.domain.shape import ModelShape
from adaptwin_core.domain.spec import CompressionSpec
from bench.runner import Row, results_of
from bench.sizes import SHAPES

COUNTED: list[Row] = [row for run in results_of("sizes") for row in run["rows"] if "cut" in row]


def shape_named(name: str) -> ModelShape:
    found = SHAPES[name]
    return ModelShape(
        d_model=found.width,
        encoder_layers=found.layers,
        decoder_layers=found.decoder_layers,
        encoder_heads=found.heads,
        decoder_heads=found.heads,
        encoder_ffn=4 * found.width,
        decoder_ffn=4 * found.width,
        vocab_size=found.vocab,
        num_mel_bins=found.mels,
        max_source_positions=1500,
        max_target_positions=448,
    )


@pytest.mark.parametrize("counted", COUNTED, ids=lambda row: f"{row['model']}-{row['cut']}")
def test_sizes_are_those_that_were_counted(counted: Row) -> None:
    shape, plan = shape_named(counted["model"]), RankPlan(blocks={})
    if counted["cut"]:
        plan = make_plan(CompressionSpec(encoder_cut=counted["cut"], plan="uniform"), shape)
    for weights in ("float16", "int8", "int4"):
        found = size_of(shape, plan, weights)
        assert found.bytes == counted[f"{weights}_bytes"], weights
        assert (found.encoder_params, found.total_params) == (counted["encoder_params"], counted["total_params"])


def test_sizes_are_counted() -> None:
    assert len(COUNTED) >= 40


def test_a_matrix_of_an_odd_number_of_inputs_takes_8_bits() -> None:
    shape = shape_named("whisper-tiny")
    even, odd = (
        size_of(shape, RankPlan(blocks={"encoder.0.self": BlockPlan(fc1=rank, fc2=rank)}), "int4").bytes
        for rank in (64, 65)
    )
    f, d = 1536, 384
    assert odd - even == (f + d) * (65 + 2) - (f + d) * 64 // 2 - 3 * (f + d) * 2 + (f + d) // 2 + 3 * (f + d) // 32

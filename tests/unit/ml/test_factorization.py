"""Cut blocks against the original: exact at full rank, as predicted below it, biases where they belong."""

from dataclasses import replace

import pytest
import torch

from adaptwin_core.domain.plan import BlockPlan, RankPlan, block_params
from adaptwin_core.domain.planner import make_plan
from adaptwin_core.domain.shape import BlockId, ModelShape, blocks_of
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.ml.compression.cut_layer import build_cut_layer
from adaptwin_core.ml.compression.factorization import factorize_block, white_moments
from adaptwin_core.ml.model.adapter import block_modules, count_params, layer_of, run_block, shape_of
from adaptwin_core.ml.model.checkpoint import empty_model
from tests.unit.ml.conftest import all_blocks, random_whisper, run
from tests.unit.ml.cut_models import compress

FULL = {"qk": 8, "vo": 8, "fc1": 32, "fc2": 32}


@pytest.mark.parametrize("start", ["plain", "whitened"])
def test_full_rank_reproduces_the_logits(model, moments, start):
    plan = RankPlan(blocks={str(b): BlockPlan(**(FULL if b.has_ff else {"qk": 8, "vo": 8})) for b in all_blocks(model)})
    small = compress(model, plan, moments if start == "whitened" else None)
    torch.testing.assert_close(run(small), run(model), rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", ["encoder.0.self", "encoder.1.self", "decoder.1.self", "decoder.1.cross"])
def test_a_rank_deficient_value_matrix_is_cut_without_loss_and_its_bias_folds_exactly(model, name):
    """Where W_V has rank 5, keeping 5 loses nothing; the value bias must survive in the output's."""
    block = BlockId.parse(name)
    altered = random_whisper(seed=3)
    layer = layer_of(altered, block)
    attention = block_modules(layer, block)
    with torch.no_grad():
        for head in attention.value.weight.unflatten(0, (4, -1)):
            head[5:] = head[:3]
    cut = factorize_block(layer, block, BlockPlan(vo=5), None)
    hidden, encoded = torch.randn(2, 9, 32), torch.randn(2, 30, 32)
    small = build_cut_layer(layer, block, BlockPlan(vo=5), cut)
    assert "v_proj.bias" not in dict(block_modules(small, block).attention.named_parameters())
    torch.testing.assert_close(
        run_block(small, block, hidden, encoded), run_block(layer, block, hidden, encoded), rtol=1e-4, atol=1e-4
    )


def test_the_query_bias_is_inside_the_product():
    """With a strong bias, a cut that knows of it loses far less of the scores than one whose moments leave it out."""
    block, heads = BlockId.parse("encoder.0.self"), 4
    altered = random_whisper(seed=5)
    layer = layer_of(altered, block)
    attention = block_modules(layer, block)
    with torch.no_grad():
        attention.query.bias.mul_(10)
    moments = white_moments(layer, block)
    bias = attention.query.bias.detach().double().unflatten(0, (heads, -1))
    without = replace(moments, queries_HKK=moments.queries_HKK - bias.unsqueeze(-1) * bias.unsqueeze(1))
    x = torch.randn(400, 32)

    def scores(query_weight, query_bias, key_weight):
        q, k = (
            (x @ query_weight.T + query_bias).unflatten(-1, (heads, -1)),
            (x @ key_weight.T).unflatten(-1, (heads, -1)),
        )
        return torch.einsum("thk,shk->hts", q, k)

    truth = scores(attention.query.weight, attention.query.bias, attention.key.weight) * 8**-0.5

    def lost(moments):
        state = factorize_block(layer, block, BlockPlan(qk=3), moments).state
        ours = scores(*(state[f"self_attn.{name}"] for name in ("q_proj.weight", "q_proj.bias", "k_proj.weight")))
        return (ours - truth).square().mean().item()

    assert lost(moments) < 0.5 * lost(without)


def test_full_rank_on_all_neurons_is_the_original_and_fewer_are_pruned_before_ranks_are_cut(model, moments):
    block = BlockId.parse("encoder.1.self")
    layer, hidden = layer_of(model, block), torch.randn(2, 9, 32)
    num_neurons = layer.fc1.out_features
    for plan in (BlockPlan(neurons=num_neurons), BlockPlan(neurons=num_neurons, fc1=32, fc2=32)):
        cut = factorize_block(layer, block, plan, moments[str(block)])
        whole = build_cut_layer(layer, block, plan, cut)
        torch.testing.assert_close(run_block(whole, block, hidden), run_block(layer, block, hidden), atol=1e-3, rtol=0)
    pruned = factorize_block(layer, block, BlockPlan(neurons=64), moments[str(block)])
    both = factorize_block(layer, block, BlockPlan(neurons=64, fc1=12, fc2=12), moments[str(block)])
    assert pruned.state["fc1.weight"].shape == (64, 32)
    assert both.state["fc1.up.weight"].shape == (64, 12)
    assert (
        both.errors["neurons"]
        == pruned.errors["neurons"]
        < factorize_block(layer, block, BlockPlan(neurons=32), moments[str(block)]).errors["neurons"]
    )


@pytest.mark.parametrize("part", ["qk", "vo", "fc1", "fc2"])
def test_predicted_error_is_attained_and_below_the_plain_start(model, moments, part):
    """Measured on the outputs the moments were taken from: as predicted, and never above plain's."""
    block = BlockId.parse("encoder.1.self")
    layer = layer_of(model, block)
    plan = BlockPlan(**{part: 4})
    whitened = factorize_block(layer, block, plan, moments[str(block)])
    plain = factorize_block(layer, block, plan, None)
    grams = moments[str(block)]

    def error(cut):
        attention, new = (
            block_modules(layer, block),
            block_modules(build_cut_layer(layer, block, plan, cut), block),
        )
        if part == "qk":
            maps = [
                torch.linalg.lstsq(
                    old.weight.double().unflatten(0, (4, -1)).mT, now.weight.double().unflatten(0, (4, -1)).mT
                ).solution
                for old, now in ((attention.query, new.query), (attention.key, new.key))
            ]
            kept = maps[0] @ maps[1].mT * 8**0.5
            lost = torch.eye(8).double() - kept
            q, k = grams.queries_HKK, grams.keys_HKK
            return (torch.einsum("hij,hjk,hkl,hil->", q, lost, k, lost) / torch.einsum("hij,hji->", q, k)).item()
        covariance = {"x": grams.ff_inputs.covariance, "z": grams.attended.covariance}
        if part == "vo":
            old = attention.output.weight.double()
            maps = torch.linalg.lstsq(
                attention.value.weight.double().unflatten(0, (4, -1)).mT,
                new.value.weight.double().unflatten(0, (4, -1)).mT,
            ).solution
            lost = old - new.output.weight.double() @ torch.block_diag(*maps).mT
            return (torch.trace(lost @ covariance["z"] @ lost.mT) / torch.trace(old @ covariance["z"] @ old.mT)).item()
        linear, low = getattr(layer, part), new.ff_first if part == "fc1" else new.ff_second
        if part == "fc1":
            lost = linear.weight.double() - low.up.weight.double() @ low.down.weight.double()
            whole = linear.weight.double() @ covariance["x"] @ linear.weight.double().mT
            return (torch.trace(lost @ covariance["x"] @ lost.mT) / torch.trace(whole)).item()
        f = grams.neurons.covariance
        y = layer.fc2.weight.double() @ f @ layer.fc2.weight.double().mT
        axes = torch.linalg.qr(low.up.weight.double()).Q
        return (torch.trace(y - axes @ axes.mT @ y) / torch.trace(y)).item()

    assert error(whitened) == pytest.approx(whitened.errors[part], rel=1e-3, abs=1e-9)
    assert error(whitened) <= error(plain) * (1 + 1e-6)


# Every width and head count that OpenAI and Distil-Whisper published, at one or two layers: name, width, heads, mels.
SHAPES = [
    ("tiny", 384, 6, 80),
    ("base", 512, 8, 80),
    ("small, distil-small.en", 768, 12, 80),
    ("medium, distil-medium.en", 1024, 16, 80),
    ("large-v2, distil-large-v2", 1280, 20, 80),
    ("large-v3, turbo, distil-large-v3", 1280, 20, 128),
]


@pytest.mark.release
@pytest.mark.parametrize(
    ("width", "heads", "mels"), [shape[1:] for shape in SHAPES], ids=[shape[0] for shape in SHAPES]
)
def test_parameter_counts_are_exact_for_every_published_shape(width, heads, mels):
    model = random_whisper(width=width, heads=heads, layers=(1, 1), mels=mels, frames=8)
    shape = shape_of(model.config)
    assert count_params(model, "encoder") == shape.encoder_params
    assert count_params(model, "decoder") == shape.decoder_params
    assert model.num_parameters() == shape.total_params
    plan = make_plan(CompressionSpec(plan="uniform", encoder_cut=0.3, decoder_cut=0.2), shape)
    small = empty_model(model, plan)
    assert count_params(small, "encoder") == plan.encoder_params(shape)
    assert small.num_parameters() == plan.total_params(shape)
    assert plan.encoder_params(shape) <= 0.7 * shape.encoder_params
    heads_only = RankPlan(
        blocks={name: ranks.model_copy(update={"fc1": None, "fc2": None}) for name, ranks in plan.blocks.items()}
    )
    assert run(compress(model, heads_only, None), num_windows=1).isfinite().all()
    size = width // heads
    for kept in ({}, {"qk": size - 1}, {"vo": size - 1}, {"qk": size - 1, "vo": size - 1}):
        fewer = RankPlan(blocks={"encoder.0.self": BlockPlan(heads=heads - 1, **kept)})
        assert count_params(empty_model(model, fewer), "encoder") == fewer.encoder_params(shape)


def test_block_params_add_up_to_the_published_encoder():
    """Whisper base: 19.82 M, as LiteASR and the model card give it."""
    base = ModelShape(
        d_model=512, encoder_layers=6, decoder_layers=6, encoder_heads=8, decoder_heads=8,
        encoder_ffn=2048, decoder_ffn=2048,
        vocab_size=51865, num_mel_bins=80, max_source_positions=1500, max_target_positions=448,
    )  # fmt: skip
    assert round(base.encoder_params / 1e6, 2) == 19.82
    layers = sum(block_params(base, block, BlockPlan()) for block in blocks_of(base, "encoder"))
    assert layers == 6 * (base.attention_params() + base.ff_params("encoder"))

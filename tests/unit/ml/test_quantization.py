"""Weights in 8 or 4 bits: near the originals, far fewer bytes, and the same model after storing and loading."""

import subprocess
import sys

import pytest
import torch
from transformers import WhisperConfig

from adaptwin_core.domain.planner import make_plan
from adaptwin_core.domain.shape import BlockId
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.ml.compression.factorization import factorize_block
from adaptwin_core.ml.model.adapter import layer_of, shape_of
from adaptwin_core.ml.model.checkpoint import assemble, load_compressed, save
from adaptwin_core.ml.model.loading import load_whisper
from adaptwin_core.ml.model.modeling_adaptwin import widened
from adaptwin_core.ml.model.quantization import Int4Weight, Int8Weight, round_to
from tests.unit.ml.conftest import random_whisper, run


@pytest.fixture
def base(tmp_path):
    folder = tmp_path / "base"
    random_whisper(width=64, heads=4).save_pretrained(folder)
    return folder


@pytest.fixture
def small(base):
    spec = CompressionSpec(plan="uniform", encoder_cut=0.3)
    plan = make_plan(spec, shape_of(WhisperConfig.from_pretrained(base)))
    model = load_whisper(base)
    blocks = {
        name: factorize_block(layer_of(model, BlockId.parse(name)), BlockId.parse(name), sizes, None).state
        for name, sizes in plan.blocks.items()
    }
    return assemble(base, plan, blocks)


def test_every_number_is_within_half_a_step_of_its_row():
    weight = torch.randn(5, 40, generator=torch.Generator().manual_seed(0)) * torch.tensor([1e-3, 1, 10, 0, 5])[:, None]
    grid = Int8Weight.of(weight)
    off = (grid.values_OI.float() * grid.scale_O.float()[:, None] - weight).abs()
    # Half a step, and what rounding the scale itself to float16 may clip off the largest.
    assert (off <= 0.5 * grid.scale_O.float()[:, None] + 1e-3 * weight.abs()).all()
    assert grid.values_OI.abs().max() == 127


@pytest.mark.parametrize("inputs", [64, 40, 6])
def test_in_four_bits_every_number_is_within_a_step_of_its_group(inputs):
    weight = torch.randn(5, inputs, generator=torch.Generator().manual_seed(0))
    weight = weight * torch.tensor([1e-3, 1, 10, 0, 5])[:, None] + torch.tensor([0, 0.5, -9, 0, 0])[:, None]
    grid = Int4Weight.of(weight)
    back = widened(grid.tensors("x"))["x"]
    step = grid.scale_OG.float().repeat_interleave(inputs // grid.scale_OG.shape[1], 1)
    assert grid.packed.shape == (5, inputs // 2)
    # The zero is rounded, too: up to half a step more.
    assert ((back - weight).abs() <= 1.01 * step + 1e-3 * weight.abs()).all()
    assert (back - weight).abs().mean() < 0.3 * step.mean()
    assert (back[3] == 0).all()


@pytest.mark.parametrize(("weights", "share", "change"), [("int8", 0.7, 0.02), ("int4", 0.55, 0.3)])
def test_a_stored_model_is_the_rounded_one_in_fewer_bytes(base, small, tmp_path, weights, share, change):
    save(small, base, tmp_path / "half")
    save(small, base, tmp_path / "stored", weights=weights)
    sizes = {kind: (tmp_path / kind / "model.safetensors").stat().st_size for kind in ("half", "stored")}
    assert sizes["stored"] < share * sizes["half"]  # a model so small is biases and convolutions in good part
    before = run(small)
    stored = load_compressed(tmp_path / "stored")
    told = round_to(small, weights)
    assert 0 <= sizes["stored"] - told < 30_000  # the file's header of names
    torch.testing.assert_close(run(stored), run(small), rtol=0, atol=0.05)  # biases are float16 in both, rounded once
    assert 0 < (run(small) - before).square().mean() / before.square().mean() < change


def test_it_loads_where_adaptwin_is_not_installed(base, small, tmp_path):
    for weights in ("int8", "int4"):
        save(small, base, tmp_path / weights, weights=weights)
    script = (
        "import sys; sys.modules['adaptwin_core'] = None\n"
        "from transformers import AutoModelForSpeechSeq2Seq\n"
        "for folder in sys.argv[1:]:\n"
        "    model = AutoModelForSpeechSeq2Seq.from_pretrained(folder, trust_remote_code=True)\n"
        "    assert model.proj_out.weight is model.model.decoder.embed_tokens.weight\n"
        "    assert model.model.encoder.layers[0].self_attn.q_proj.weight.is_floating_point()\n"
        "    print(model.num_parameters())"
    )
    folders = [str(tmp_path / weights) for weights in ("int8", "int4")]
    done = subprocess.run(
        [sys.executable, "-c", script, *folders], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(small.num_parameters())] * 2

"""Weights in 8 bits: near the originals, about half the bytes, and the same model after storing and loading."""

import subprocess
import sys

import pytest
import torch
from transformers import WhisperConfig

from adaptwin_core.domain.plan import BlockId
from adaptwin_core.domain.planner import make_plan
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.ml.adapter import layer_of, load_whisper, shape_of
from adaptwin_core.ml.assemble import assemble, load_compressed, save
from adaptwin_core.ml.factorize import factorize_block
from adaptwin_core.ml.int8 import Int8Weight, round_to_int8
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


def test_a_stored_model_is_the_rounded_one_in_about_half_the_bytes(base, small, tmp_path):
    save(small, base, tmp_path / "half")
    save(small, base, tmp_path / "int8", weights="int8")
    sizes = {kind: (tmp_path / kind / "model.safetensors").stat().st_size for kind in ("half", "int8")}
    assert sizes["int8"] < 0.7 * sizes["half"]  # a model so small is biases and convolutions in good part
    before = run(small)
    stored = load_compressed(tmp_path / "int8")
    told = round_to_int8(small)
    assert 0 <= sizes["int8"] - told < 20_000  # the file's header of names
    torch.testing.assert_close(run(stored), run(small), rtol=0, atol=0.05)  # biases are float16 in both, rounded once
    change = (run(small) - before).square().mean() / before.square().mean()
    assert 0 < change < 0.02


def test_it_loads_where_adaptwin_is_not_installed(base, small, tmp_path):
    save(small, base, tmp_path / "out", weights="int8")
    script = (
        "import sys; sys.modules['adaptwin_core'] = None\n"
        "from transformers import AutoModelForSpeechSeq2Seq\n"
        f"model = AutoModelForSpeechSeq2Seq.from_pretrained({str(tmp_path / 'out')!r}, trust_remote_code=True)\n"
        "print(model.num_parameters(), model.model.encoder.layers[0].fc1, model.generation_config.max_length)\n"
        "assert model.proj_out.weight is model.model.decoder.embed_tokens.weight\n"
        "assert model.model.encoder.layers[0].self_attn.q_proj.weight.is_floating_point()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(small.num_parameters()))

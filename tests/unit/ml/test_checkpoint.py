"""Whole models on disk: they load back with stock calls, and a damaged block is refused by name."""

import json
import subprocess
import sys

import pytest
import torch
from transformers import WhisperConfig

from adaptwin_core.domain.errors import CorruptBlob
from adaptwin_core.domain.planner import make_plan
from adaptwin_core.domain.shape import BlockId
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.ml.compression.factorization import factorize_block
from adaptwin_core.ml.model.adapter import layer_of, shape_of
from adaptwin_core.ml.model.checkpoint import assemble, load_compressed, save
from adaptwin_core.ml.model.loading import load_layer, load_whisper
from tests.unit.ml.conftest import random_whisper, run


@pytest.fixture
def base(tmp_path):
    folder = tmp_path / "base"
    random_whisper().save_pretrained(folder)
    return folder


@pytest.fixture
def plan(base):
    return make_plan(
        CompressionSpec(plan="uniform", encoder_cut=0.3, decoder_cut=0.2), shape_of(WhisperConfig.from_pretrained(base))
    )


@pytest.fixture
def blocks(base, plan):
    model = load_whisper(base)
    return {
        name: factorize_block(layer_of(model, BlockId.parse(name)), BlockId.parse(name), ranks, None).state
        for name, ranks in plan.blocks.items()
    }


def test_a_layer_read_alone_is_the_layer_of_the_whole_model(base):
    model = load_whisper(base)
    for name in ("encoder.1.self", "decoder.0.cross"):
        block = BlockId.parse(name)
        alone, whole = load_layer(base, block).state_dict(), layer_of(model, block).state_dict()
        assert all(torch.equal(alone[key], whole[key]) for key in whole)


def test_a_saved_model_loads_back_with_the_plan_in_its_config(base, plan, blocks, tmp_path):
    model = assemble(base, plan, blocks)
    save(model, base, tmp_path / "out")
    again = load_compressed(tmp_path / "out")
    torch.testing.assert_close(run(again), run(model), rtol=0, atol=0.1)  # float16 on disk
    assert again.num_parameters() == plan.total_params(shape_of(again.config))
    assert {path.suffix for path in (tmp_path / "out").iterdir()} <= {".json", ".safetensors", ".py"}


def test_it_loads_where_adaptwin_is_not_installed(base, plan, blocks, tmp_path):
    """A process whose path holds no adaptwin_core reads the folder with transformers' Auto class."""
    model = assemble(base, plan, blocks)
    save(model, base, tmp_path / "out")
    script = (
        "import sys; sys.modules['adaptwin_core'] = None\n"
        "from transformers import AutoModelForSpeechSeq2Seq\n"
        f"model = AutoModelForSpeechSeq2Seq.from_pretrained({str(tmp_path / 'out')!r}, trust_remote_code=True)\n"
        "print(type(model).__name__, model.config.model_type, model.num_parameters())"
    )
    env = {"HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=env, cwd=tmp_path, check=False
    )
    # `pipeline` goes by the second name; files do not say it, or stock Whisper would be loaded in place of our class.
    names = ["AdaptwinWhisperForConditionalGeneration", "whisper"]
    assert done.stdout.split() == [*names, str(model.num_parameters())], done.stderr
    assert json.loads((tmp_path / "out" / "config.json").read_text())["model_type"] == "adaptwin_whisper"


def test_generation_uses_the_narrow_cache(base, plan, blocks):
    model = assemble(base, plan, blocks)
    features = torch.randn(2, 8, 60)
    settings = {
        "do_sample": False,
        "max_new_tokens": 8,
        "suppress_tokens": None,
        "begin_suppress_tokens": None,
        "eos_token_id": 95,
    }
    with torch.no_grad():
        cached = model.generate(features, use_cache=True, **settings)
        uncached = model.generate(features, use_cache=False, **settings)
    assert torch.equal(cached, uncached)


@pytest.mark.parametrize("damage", ["missing", "nan", "shape"])
def test_a_damaged_block_is_refused_by_name(base, plan, blocks, damage):
    name = "encoder.1.self"
    if damage == "missing":
        del blocks[name]
    elif damage == "nan":
        blocks[name]["self_attn.q_proj.weight"][0, 0] = torch.nan
    else:
        blocks[name]["self_attn.q_proj.weight"] = blocks[name]["self_attn.q_proj.weight"][:-1]
    with pytest.raises(CorruptBlob, match=r"encoder\.1\.self|encoder\.layers\.1"):
        assemble(base, plan, blocks)

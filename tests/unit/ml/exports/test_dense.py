"""The dense form computes what the compressed model computes, and loads with no code of ours."""

import subprocess
import sys

import pytest
import torch

from adaptwin_core.domain.planner import make_plan
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.ml.exports.dense import dense
from adaptwin_core.ml.model.adapter import shape_of
from tests.unit.ml.conftest import random_whisper, run
from tests.unit.ml.test_factorization import compress

SPECS = [
    {"encoder_cut": 0},  # nothing is cut
    {"plan": "uniform", "encoder_cut": 0.3, "decoder_cut": 0.3},  # thin feed-forward matrices
    {"ranks": {"qk": 3, "vo": 5, "neurons": 40}, "decoder_cut": 0.1},
    {"ranks": {"qk": 5}},
    {"ranks": {"heads": 3}},
    {"ranks": {"heads": 2, "qk": 5, "vo": 6}},
    {"ranks": {"vo": 2, "neurons": 64, "ff": 9}, "decoder_cut": 0.1},
]


@pytest.fixture(params=SPECS, ids=str)
def small(request):
    original = random_whisper()
    return compress(original, make_plan(CompressionSpec.model_validate(request.param), shape_of(original.config)), None)


def test_the_function_is_the_same(small):
    whole = dense(small)
    assert type(whole).__name__ == "WhisperForConditionalGeneration"
    assert whole.num_parameters() == random_whisper().num_parameters() >= small.num_parameters()
    torch.testing.assert_close(run(whole), run(small), rtol=1e-4, atol=1e-4)


def test_it_loads_where_only_transformers_is(small, tmp_path):
    dense(small).save_pretrained(tmp_path / "dense")
    script = (
        "import sys; sys.modules['adaptwin_core'] = None\n"
        "from transformers import WhisperForConditionalGeneration as Whisper\n"
        f"print(Whisper.from_pretrained({str(tmp_path / 'dense')!r}).num_parameters())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == random_whisper().num_parameters()
    assert not list((tmp_path / "dense").glob("*.py"))

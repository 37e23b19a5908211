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
from tests.unit.ml.cut_models import SPECS, compress


def small_of(spec):
    original = random_whisper()
    return compress(original, make_plan(CompressionSpec.model_validate(spec), shape_of(original.config)), None)


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_the_function_is_the_same(spec):
    small = small_of(spec)
    whole = dense(small)
    assert type(whole).__name__ == "WhisperForConditionalGeneration"
    assert whole.num_parameters() == random_whisper().num_parameters() >= small.num_parameters()
    torch.testing.assert_close(run(whole), run(small), rtol=1e-4, atol=1e-4)


def test_it_loads_where_only_transformers_is(tmp_path):
    folders = [tmp_path / str(index) for index in range(len(SPECS))]
    for folder, spec in zip(folders, SPECS, strict=True):
        dense(small_of(spec)).save_pretrained(folder)
    script = (
        "import sys; sys.modules['adaptwin_core'] = None\n"
        "from transformers import WhisperForConditionalGeneration as Whisper\n"
        "for folder in sys.argv[1:]: print(Whisper.from_pretrained(folder).num_parameters())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, folders)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(random_whisper().num_parameters())] * len(SPECS)
    assert not list(tmp_path.rglob("*.py"))

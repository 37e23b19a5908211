"""Whole jobs on the device at hand: the bench needs no service, and on a processor it runs through every stage."""

import json
import subprocess
import sys

import pytest

from bench import gpu

SERVICE = ("fastapi", "celery", "sqlalchemy", "httpx", "espeakng_loader", "hibari")


def test_it_loads_nothing_of_the_service():
    hidden = "; ".join(f"sys.modules[{name!r}] = None" for name in SERVICE)
    subprocess.run([sys.executable, "-c", f"import sys; {hidden}; import bench.gpu"], check=True)


@pytest.mark.release
@pytest.mark.weights  # the tokenizer comes with the weights
def test_a_small_random_model_goes_through_every_stage(tmp_path, monkeypatch):
    out = tmp_path / "gpu.json"
    monkeypatch.setattr(sys, "argv", ["gpu", "--quick", "--devices", "cpu", "--out", str(out)])
    gpu.main()
    (row,) = json.loads(out.read_text())["rows"]
    assert row["device"] == "cpu"
    assert {"read", "personalize", "calibrate", "weigh", "factorize", "tune", "evaluate", "publish"} <= set(
        row["steps"]
    )
    assert row["one_tuning_step"]["floor_seconds"] < row["one_tuning_step"]["seconds"]
    assert row["mean_block_error"] > 0
    assert row["total_params"] > row["encoder_params"] > 0

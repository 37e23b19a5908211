"""The bench of a GPU: all of it runs on a processor at small size, on a machine that has little installed."""

import csv
import json
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
import soundfile

from adaptwin_core.domain.spec import CompressionSpec
from bench import runner
from bench.gpu import __main__ as program
from bench.gpu import kit, table
from bench.gpu.made_up import write_model
from bench.gpu.noise import noise_corpus
from bench.gpu.own_process import Tell, in_own_process
from bench.gpu.pack import pack_model
from bench.gpu.timed_job import Shortening

NOT_THERE = ("fastapi", "celery", "sqlalchemy", "httpx", "espeakng_loader", "hibari", "av", "soxr", "ulid", "psutil")
STAGES = {"personalize", "calibrate", "weigh", "factorize", "tune", "evaluate", "publish"}


def test_it_needs_nothing_of_the_service_and_no_reader_of_sound_files():
    hidden = "; ".join(f"sys.modules[{name!r}] = None" for name in NOT_THERE)
    subprocess.run([sys.executable, "-c", f"import sys; {hidden}; import bench.gpu.run"], check=True)


def a_kit(folder: Path) -> Path:
    """Write what `pack` would: here of a made-up model, and of made-up speech as files with a table."""
    base, corpus = folder / "base", noise_corpus(folder / "corpus", 120, num_held_out=4)
    write_model("smallest", base)
    speech = folder / "kit" / kit.SPEECH
    speech.mkdir(parents=True)
    pack_model(base, folder / "kit" / kit.MODEL)
    with (speech / "metadata.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["file_name", "transcription", "split"])
        for clip in corpus.clips:
            soundfile.write(speech / f"{clip.id}.wav", corpus.audio(clip), 16_000)
            rows.writerow([f"{clip.id}.wav", clip.text, clip.split])
    return folder / "kit"


def test_every_part_runs_on_a_processor(tmp_path, monkeypatch):
    out = tmp_path / "results" / "gpu.json"
    arguments = ["--quick", "--kit", str(a_kit(tmp_path)), "--out", str(out)]
    arguments += ["--seconds", "3600"]  # they count from the import of the module, long before other tests are done
    monkeypatch.setattr(sys, "argv", ["bench.gpu", *arguments])
    program.main()
    agreement, real, large = json.loads(out.read_text())["rows"]
    assert agreement["plans_agree"]
    assert agreement["largest_difference_of_losses"] == 0
    assert all(texts["equal"] == texts["all"] > 0 for texts in agreement["texts"].values())
    heard = {"base:speaker:whole", "compressed:speaker:whole", "compressed:speaker:fitted"}
    assert {*heard, "real"} == set(agreement["texts"])
    for job in (real, large):
        assert set(job["stages"]) >= STAGES
        for name in ("personalize", "tune", "evaluate"):
            assert 0 < job["stages"][name]["share_of_rate"] < 1
        assert set(job["error_rates"]) == {"original", "compressed"}
        assert job["total_params"] > 0
    assert real["whole_s"] == real["seconds"], "nothing of it is left out"
    left_out = large["stages"]
    assert left_out["personalize"]["steps"] == 2
    assert left_out["personalize"]["whole_s"] > left_out["personalize"]["seconds"]
    assert (left_out["weigh"]["tasks"], left_out["weigh"]["all_tasks"]) == (1, 2)
    assert left_out["weigh"]["whole_s"] == pytest.approx(2 * left_out["weigh"]["seconds"], abs=0.02)
    monkeypatch.setattr(runner, "RESULTS", out.parent)
    page = table.table()
    assert "the same plan" in page
    assert "| smallest | weigh | 1 of 2 blocks |" in page
    assert "(projected)" in page


def test_a_run_of_older_code_is_not_shown(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "RESULTS", tmp_path)
    assert table.table() == table.NO_RUN
    (tmp_path / "gpu.json").write_text(json.dumps({"how": {"code_version": 0}, "rows": []}))
    assert table.table() == table.NO_RUN


def test_steps_are_left_out_of_training_alone():
    whole = CompressionSpec()
    fewer = Shortening(share_of_steps=0.25).of(whole)
    assert (fewer.personal_steps, fewer.tune_steps, fewer.layer_steps) == (60, 20, whole.layer_steps)
    assert Shortening().of(whole) == whole


def test_a_kit_brings_what_is_not_installed(tmp_path, monkeypatch):
    monkeypatch.setattr(kit, "NEEDED", ("brought_along",))
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("PYTHONPATH", "")
    with pytest.raises(SystemExit, match="lacks brought_along: run `python -m bench"):
        kit.unpack_wheels(tmp_path, tmp_path / "none")
    (tmp_path / kit.WHEELS).mkdir()
    with zipfile.ZipFile(tmp_path / kit.WHEELS / "brought_along-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("brought_along.py", "WHERE = 'kit'")
    kit.unpack_wheels(tmp_path, tmp_path / "unpacked")
    child = subprocess.run(
        [sys.executable, "-c", "import brought_along; print(brought_along.WHERE)"], check=True, capture_output=True
    )
    assert child.stdout == b"kit\n"


def stalls(tell: Tell) -> None:
    tell({"stages": 1})
    time.sleep(600)


def fails(_tell: Tell) -> None:
    sys.exit(3)


def test_work_whose_time_is_up_leaves_what_it_told(tmp_path):
    row = in_own_process(stalls, device="cpu", seconds=20, scratch=tmp_path)
    assert row == {"stages": 1, "stopped_after_s": 20}


def test_work_that_fails_is_not_taken_for_work_that_is_done(tmp_path):
    with pytest.raises(RuntimeError, match="fails failed on cpu, exit code 3"):
        in_own_process(fails, device="cpu", seconds=60, scratch=tmp_path)

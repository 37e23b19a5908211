"""The commands against the real service: the five of the README, and the others on what these made."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adaptwin_core.ml.evaluation.manifest import check_files, read_manifest
from tests.running_service import SPEC, Service, running_service, without_settings

pytestmark = [pytest.mark.e2e, pytest.mark.weights, pytest.mark.release]  # long; the tokenizer comes with the weights
ROOT = Path(__file__).parents[2]
PROGRAM = ".venv/bin/adaptwin"


@pytest.fixture(scope="module")
def service(base: Path) -> Iterator[Service]:
    with running_service(f"folder:{base}") as running:
        yield running


@pytest.fixture(scope="module")
def home(service: Service, noise: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A person's folder: speech of two kinds, and the folder of `adaptwin up`."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "var").symlink_to(service.folder)
    for name in ("my-speech", "other-voices"):
        shutil.copytree(noise, folder / name)
    return folder


def adaptwin(home: Path, *words: str, code: int = 0) -> str:
    """Run a command in a folder, and return what it prints on standard output."""
    command = [sys.executable, "-m", "adaptwin_core.cli.main", *words]
    variables = without_settings() | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=home, env=variables, stdin=subprocess.DEVNULL
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def as_json(home: Path, *words: str) -> Any:
    return json.loads(adaptwin(home, *words, "--json"))


def commands_of_readme() -> list[list[str]]:
    section = (ROOT / "README.md").read_text().split("## Your voice to your model")[1].split("\n## ")[0]
    block = re.search(r"^```sh\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    assert block is not None
    return [shlex.split(line) for line in block[1].replace("\\\n", " ").splitlines()]


def test_the_five_commands_of_the_readme_make_a_model(home: Path) -> None:
    commands = commands_of_readme()
    assert len(commands) == 5
    for program, *words in commands:
        assert program == PROGRAM
        if words[:2] == ["jobs", "submit"]:
            settings = words.index("--settings") + 1
            words[settings] = json.dumps(SPEC | json.loads(words[settings]))
            words.append("--accept-little")
        adaptwin(home, *words)
    made = read_manifest(home / "my-whisper")
    check_files(home / "my-whisper", made)
    assert (made["settings"]["weights"], made["settings"]["encoder_cut"]) == ("int8", 0.0)
    report = json.loads((home / "my-whisper" / "report.json").read_text())
    assert set(report["datasets"]) == {"speaker", "general"}


def test_everything_is_listed_and_told(home: Path) -> None:
    assert [one["name"] for one in as_json(home, "datasets", "list")] == ["other-voices", "my-speech"]
    assert as_json(home, "datasets", "report", "my-speech")["report"]["labelled"] == 20
    assert "speech: 20 clips, 20 with a transcript, 0 without" in adaptwin(home, "datasets", "report", "my-speech")
    [job] = as_json(home, "jobs", "list")
    [model] = as_json(home, "models", "list")
    assert (job["state"], model["job_id"]) == ("succeeded", job["id"])
    told = as_json(home, "models", "report", model["id"])["manifest"]
    assert told["verdict"]["sentence"] in adaptwin(home, "models", "report").splitlines()
    assert as_json(home, "jobs", "watch", job["id"])["verdict"] == told["verdict"], "what has ended is told too"
    assert as_json(home, "doctor")["can"] == dict.fromkeys(
        ("use the service", "make models here", "run the service here"), True
    )


def test_a_model_is_tried(home: Path) -> None:
    recording = min(path for path in (home / "my-speech").iterdir() if path.suffix in {".wav", ".flac", ".opus"})
    heard = as_json(home, "models", "transcribe", str(recording))
    assert heard["duration"] > 0
    assert adaptwin(home, "models", "transcribe", str(recording)).strip() == heard["text"].strip()


def test_an_upload_goes_on(home: Path) -> None:
    [speech] = [one for one in as_json(home, "datasets", "list") if one["name"] == "my-speech"]
    again = as_json(home, "upload", "my-speech", "--dataset", speech["id"])
    assert (again["id"], again["state"], again["left_out"]) == (speech["id"], "ready", [])
    assert len(as_json(home, "datasets", "list")) == 2


def test_a_job_is_cancelled(home: Path) -> None:
    long = json.dumps({"personal_steps": 5000})
    submitted = as_json(home, "jobs", "submit", "--dataset", "my-speech", "--settings", long, "--accept-little")
    assert as_json(home, "jobs", "cancel", submitted["id"])["state"] == "cancelled"
    adaptwin(home, "jobs", "watch", submitted["id"], code=5)
    adaptwin(home, "jobs", "cancel", submitted["id"], code=3)


def test_what_is_deleted_is_gone(home: Path) -> None:
    [model] = as_json(home, "models", "list")
    adaptwin(home, "models", "delete", model["id"], code=2)
    adaptwin(home, "models", "delete", model["id"], "--yes")
    for name in ("my-speech", "other-voices"):
        adaptwin(home, "datasets", "delete", name, "--yes")
    assert as_json(home, "models", "list") == as_json(home, "datasets", "list") == []
    adaptwin(home, "models", "report", model["id"], code=3)

"""The commands of docs/api.md, run as they stand, in a shell that finds nothing but what a plain system has."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.arch.pages import ROOT, tokens
from tests.running_service import SPEC, Service, running_service

pytestmark = [pytest.mark.e2e, pytest.mark.weights, pytest.mark.release]  # long; the tokenizer comes with the weights
PLAIN = ("awk", "base64", "cat", "curl", "grep", "head", "sed", "sleep", "tail", "tar", "tr", "wc")
PAGE = (ROOT / "docs" / "api.md").read_text()
QUICK = json.dumps({**SPEC, "encoder_cut": 0.3}).replace('"', r"\"")
# what this test has instead: a service on another port, a model that knows nothing and a job of a few steps
HERE = {
    "whisper-tiny.en": "tiny-random",
    r"\"spec\": {\"encoder_cut\": 0.35}": rf"\"spec\": {QUICK}, \"accept_little\": true",
    "ct2-int8": "dense",  # in 8 bits a model that knows nothing may be refused
}


@pytest.fixture(scope="module")
def service(base: Path) -> Iterator[Service]:
    with running_service(f"folder:{base}") as running:
        yield running


@pytest.fixture
def folder(service: Service, noise: Path, tmp_path: Path) -> Path:
    """What the page begins with: the key, and speech as two files and as an archive."""
    home = tmp_path / "home"
    (home / "var").mkdir(parents=True)
    (home / "var" / "api_key").write_text(service.key)
    first, *others = sorted(noise.glob("*.flac"))
    for name in ("day1.wav", "me.wav"):
        shutil.copyfile(first, home / name)  # what a file is, its bytes say
    shutil.copyfile(first.with_suffix(".txt"), home / "day1.txt")
    with zipfile.ZipFile(home / "ada.zip", "w") as archive:
        for path in others:
            archive.write(path, path.name)
            archive.write(path.with_suffix(".txt"), path.with_suffix(".txt").name)
    return home


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder of plain programs, and `adaptwin`."""
    found = tmp_path / "bin"
    found.mkdir()
    for name in PLAIN:
        path = shutil.which(name)
        assert path is not None, name
        (found / name).symlink_to(path)
    command = found / "adaptwin"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m adaptwin_core.cli.main "$@"\n')
    command.chmod(0o755)
    return found


def script(service: Service) -> str:
    """Return every block of the page as one script."""
    blocks = [token.content for token in tokens(PAGE) if token.type == "fence" and token.info == "sh"]
    written = "".join(blocks)
    for there, here in {**HERE, "http://localhost:8000": service.url}.items():
        assert there in written, there
        written = written.replace(there, here)
    return f"set -eu\n{written}"


def test_the_commands_of_the_page_work(service: Service, folder: Path, programs: Path) -> None:
    env = {"PATH": str(programs), "HOME": str(folder), "PYTHONPATH": os.pathsep.join(sys.path), "LC_ALL": "C.UTF-8"}
    command = ["/bin/sh", "-c", script(service)]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    [model] = service.client.get("/v1/models").json()["items"]
    made = folder / model["id"]
    assert {path.name for path in made.iterdir()} >= {"model.safetensors", "adaptwin.json", "report.json"}
    assert (folder / "model.safetensors").read_bytes() == (made / "model.safetensors").read_bytes()
    assert (folder / "by-link.tar").read_bytes() == (folder / "model.tar").read_bytes()
    assert (folder / f"{model['id']}-dense" / "adaptwin.json").is_file()
    assert done.stderr.count("files are intact") == 2
    assert model["num_downloads"] == 4  # two archives, one file of weights, and what the link gave

    again = f"{script(service).split('DATASET=', maxsplit=1)[0]}MODEL={model['id']}\n{resumption()}"
    (folder / "model.tar").write_bytes((folder / "by-link.tar").read_bytes()[:70_000])
    subprocess.run(["/bin/sh", "-c", again], cwd=folder, env=env, capture_output=True, check=True, timeout=60)
    assert (folder / "model.tar").read_bytes() == (folder / "by-link.tar").read_bytes()


def resumption() -> str:
    """Return the two lines of the page that download an archive."""
    lines = [line for line in PAGE.splitlines() if line.startswith(("get()", "get -o model.tar"))]
    assert len(lines) == 2
    return "\n".join(lines)

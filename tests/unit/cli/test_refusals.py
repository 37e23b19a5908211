"""What `adaptwin compress` refuses before anything heavy is loaded: with one sentence, status 1, and nothing left."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile

RUN = """
import sys
from adaptwin_core.cli.main import app
try:
    app()
finally:
    print("loaded:", *sorted({"torch", "transformers", "matplotlib"} & set(sys.modules)))
"""

# Reads commands and has each run by a child of its own, which finds everything imported.
WARM = f"""
import json, os, sys, traceback
import adaptwin_core.cli.main
for line in sys.stdin:
    options, out, err = json.loads(line)
    if not (child := os.fork()):
        for number, path in ((1, out), (2, err)):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
        sys.argv = ["-c", "compress", *options]
        status = 0
        try:
            exec({RUN!r})
        except SystemExit as ended:
            status = ended.code or 0
        except BaseException:
            traceback.print_exc()
            status = 1
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


Compress = Callable[..., Done]


@pytest.fixture(scope="module")
def compress(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compress]:
    """Run it, and tell in the last line of its output which heavy library it had loaded by its end."""
    runner = subprocess.Popen([sys.executable, "-c", WARM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert runner.stdin
    assert runner.stdout
    stdin, stdout = runner.stdin, runner.stdout

    def run(*options: str) -> Done:
        out, err = (tmp_path_factory.mktemp("said") / name for name in ("out", "err"))
        print(json.dumps([options, str(out), str(err)]), file=stdin, flush=True)
        return Done(int(stdout.readline()), out.read_text(), err.read_text())

    yield run
    runner.communicate(timeout=60)


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    folder = tmp_path / "speech"
    folder.mkdir()
    soundfile.write(folder / "a.wav", np.sin(np.arange(16_000) / 9), 16_000)
    return folder


@pytest.fixture
def good(speech: Path, tmp_path: Path) -> dict[str, str]:
    """Options that could be carried out."""
    return {
        "--model": "whisper-tiny.en",
        "--audio": str(speech),
        "--out": str(tmp_path / "out"),
        "--cache": str(tmp_path / "cache"),
    }


Refused = Callable[[dict[str, str]], str]


@pytest.fixture
def refused(compress: Compress) -> Refused:
    """Return the one sentence that options are refused with."""
    return lambda options: _refused(compress, options)


def _refused(compress: Compress, options: dict[str, str]) -> str:
    before = {path for path in Path(options["--audio"]).parent.rglob("*") if path.name != "cache"}
    done = compress(*(piece for pair in options.items() for piece in pair))
    assert done.returncode == 1, done.stderr
    assert done.stdout == "loaded:\n"
    [line] = done.stderr.splitlines()
    assert line.startswith("adaptwin: ")
    assert {path for path in Path(options["--audio"]).parent.rglob("*") if path.name != "cache"} == before
    return line


@pytest.mark.parametrize("model", ["whisper-tinny", "tiny", "no such/thing at all"])
def test_an_unknown_model_is_refused(refused: Refused, good: dict[str, str], model: str):
    assert "no such base model" in refused(good | {"--model": model})


def test_a_folder_that_holds_no_whisper_is_refused(refused: Refused, good: dict[str, str], tmp_path: Path):
    (tmp_path / "model").mkdir()
    assert "config.json" in refused(good | {"--model": str(tmp_path / "model")})


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("{", "not JSON"),
        ("[]", "must be a JSON object"),
        ('{"personal_step": 3}', "did you mean personal_steps?"),
        ('{"lora_rank": 0}', "lora_rank must be greater than or equal to 1, not 0"),
        ('{"max_bytes": 20000000, "encoder_cut": 0.2}', "leave encoder_cut out"),
        ('{"exports": ["dense"]}', "adaptwin export"),
    ],
)
def test_settings_that_cannot_be_used_are_refused_with_what_to_do(
    refused: Refused, good: dict[str, str], settings: str, told: str
):
    assert told in refused(good | {"--settings": settings})


def test_a_cut_beside_a_size_or_given_twice_is_refused(refused: Refused, good: dict[str, str]):
    for settings in ({"max_bytes": 20_000_000}, {"encoder_cut": 0.3}):
        assert "leave" in refused(good | {"--encoder-cut": "0.3", "--settings": json.dumps(settings)})


def test_an_output_that_holds_anything_is_refused(refused: Refused, good: dict[str, str], tmp_path: Path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / ".hidden").touch()
    assert "is not empty" in refused(good | {"--out": str(tmp_path / "full")})
    assert "is not a folder" in refused(good | {"--out": str(tmp_path / "full" / ".hidden")})


def test_folders_that_lie_in_one_another_are_refused(
    refused: Refused, good: dict[str, str], speech: Path, tmp_path: Path
):
    assert "--out lies inside" in refused(good | {"--out": str(speech / "out")})
    assert "--general is the folder of --audio" in refused(good | {"--general": str(speech)})
    (speech / "others").mkdir()
    assert "--general lies inside" in refused(good | {"--general": str(speech / "others")})
    assert "--audio lies inside" in refused(good | {"--general": str(tmp_path)})
    assert "--cache lies inside" in refused(good | {"--cache": str(speech / "cache")})


def test_a_folder_of_speech_without_a_file_is_refused(refused: Refused, good: dict[str, str], tmp_path: Path):
    (tmp_path / "nothing" / "deep").mkdir(parents=True)
    assert "holds no files" in refused(good | {"--audio": str(tmp_path / "nothing")})
    assert "holds no files" in refused(good | {"--general": str(tmp_path / "nothing")})


def test_places_that_cannot_be_written_to_are_refused(refused: Refused, good: dict[str, str]):
    assert "cannot be written to" in refused(good | {"--out": "/proc/nowhere/out", "--model": good["--audio"]})
    assert "--cache" in refused(good | {"--cache": "/proc/nowhere"})


def test_a_missing_option_is_wrong_usage(compress: Compress, good: dict[str, str]):
    done = compress("--model", good["--model"])
    assert done.returncode == 2
    assert "--audio" in done.stderr


def test_what_costs_nothing_is_asked_first(refused: Refused, good: dict[str, str], tmp_path: Path):
    """All is wrong at once: the settings are told, then the output, then the model, then the speech."""
    (tmp_path / "nothing").mkdir()
    wrong = good | {"--settings": "{", "--out": str(tmp_path), "--model": "?", "--audio": str(tmp_path / "nothing")}
    for option, told in (("--settings", "JSON"), ("--out", "not empty"), ("--model", "base model")):
        assert told in refused(wrong)
        wrong[option] = good.get(option, "{}")
    assert "no files" in refused(wrong)


def test_names_that_fit_no_encoding_are_no_failure(good: dict[str, str]):
    done = subprocess.run(
        [sys.executable, "-c", RUN, "compress", *(p for pair in (good | {"--model": "ü?"}).items() for p in pair)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
    )
    assert done.returncode == 1
    assert "no such base model" in done.stderr

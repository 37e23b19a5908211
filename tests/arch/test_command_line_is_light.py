"""The help comes at once: what a command needs is loaded when it runs."""

import subprocess
import sys

import pytest

OF_MODELS = {"torch", "transformers", "peft", "tokenizers", "numpy", "soundfile", "matplotlib", "jiwer", "av"}
OF_THE_SERVICE = {"sqlalchemy", "alembic", "fastapi", "starlette", "celery", "redis", "psycopg", "psutil", "worker"}
OF_THE_CLIENT = {"httpx", "anyio", "adaptwin_core.client"}
RUN = """
import sys
from adaptwin_core.cli.main import app
sys.argv = ["adaptwin", *{words}]
try:
    app()
except SystemExit as ended:
    code = ended.code or 0
print("loaded:", code, *sys.modules)
"""


def loaded_by(*words: str) -> tuple[int, set[str]]:
    """Return the exit status of a command, and every module that it loaded."""
    code = RUN.format(words=list(words))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    status, *modules = done.stdout.splitlines()[-1].split()[1:]
    return int(status), set(modules)


@pytest.mark.parametrize("words", ["--help", "--version", "jobs --help", "compress --help", "up --help"])
def test_the_help_loads_nothing_heavy(words: str) -> None:
    code, loaded = loaded_by(*words.split())
    assert code == 0
    assert "adaptwin_core.cli.up" in loaded
    assert loaded.isdisjoint(OF_MODELS | OF_THE_SERVICE | OF_THE_CLIENT)


@pytest.mark.parametrize("words", ["doctor", "jobs list --url http://127.0.0.1:9 --key k"])
def test_a_command_of_the_client_needs_its_packages_only(words: str) -> None:
    code, loaded = loaded_by(*words.split())
    assert code in {0, 4}
    assert "adaptwin_core.client" in loaded or words == "doctor"
    assert loaded.isdisjoint(OF_MODELS | OF_THE_SERVICE)


def test_a_report_in_words_needs_no_package_of_models() -> None:
    code = "import sys, adaptwin_core.ml.evaluation.report_lines; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()).isdisjoint(OF_MODELS)

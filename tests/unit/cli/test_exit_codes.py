"""The exit status of every kind of end, and the one sentence with it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from adaptwin_core.cli import exit_codes, extras
from adaptwin_core.cli.exit_codes import ExitCode
from tests.running_service import free_port
from tests.unit.cli.conftest import Adaptwin
from tests.unit.cli.fake_service import FakeService, dataset, job, page

# Runs a command where a package is not found.
WITHOUT = """
import sys
class Without:
    def find_spec(self, name, *_):
        if name.partition(".")[0] == "{package}":
            raise ModuleNotFoundError("No module named " + name, name=name)
sys.meta_path.insert(0, Without())
sys.argv = ["adaptwin", *{words}]
from adaptwin_core.cli.main import app
app()
"""


def test_every_status_has_a_meaning() -> None:
    assert set(exit_codes.MEANINGS) == set(ExitCode)


def test_done(adaptwin: Adaptwin, service: FakeService) -> None:
    service.on("GET /v1/jobs", page())
    assert adaptwin("jobs", "list").code == ExitCode.DONE


def test_something_here_cannot_be_used(adaptwin: Adaptwin, no_service: None) -> None:
    ran = adaptwin("jobs", "submit", "--dataset", "Ada", "--settings", "{")
    assert (ran.code, ran.out) == (ExitCode.NOT_DONE, "")
    assert "not JSON" in ran.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("jobs", "list"), "no service to talk to"),
        (("jobs", "submit"), "--dataset"),
        (("jobs", "sumbit"), "Did you mean 'submit'?"),
        (("jbos",), "Did you mean 'jobs'?"),
        (("jobs", "submit", "--datset", "Ada"), "Did you mean --dataset?"),
        (("models", "download", "--json"), "--out"),
    ],
)
def test_wrong_usage(adaptwin: Adaptwin, no_service: None, words: tuple[str, ...], told: str) -> None:
    ran = adaptwin(*words)
    assert ran.code == ExitCode.WRONG_USAGE
    assert told in ran.err


def test_the_service_refuses(adaptwin: Adaptwin, service: FakeService) -> None:
    field = {"location": "query.limit", "code": "x", "message": "is too large"}
    service.refuse("GET /v1/jobs", 422, "validation_failed", "the request is not valid", errors=[field])
    ran = adaptwin("jobs", "list")
    assert ran.code == ExitCode.REFUSED
    assert ran.err == "adaptwin: validation_failed: the request is not valid; query.limit is too large\n"


def test_the_service_does_not_answer(adaptwin: Adaptwin, no_service: None) -> None:
    ran = adaptwin("jobs", "list", "--url", f"http://127.0.0.1:{free_port()}", "--key", "k")
    assert ran.code == ExitCode.NOT_REACHED
    assert "does not answer" in ran.err
    assert "Traceback" not in ran.err


def test_another_program_answers(adaptwin: Adaptwin, service: FakeService) -> None:
    service.on("GET /v1/jobs", {"hello": "there"})
    assert adaptwin("jobs", "list").code == ExitCode.NOT_REACHED


def test_a_job_failed(adaptwin: Adaptwin, service: FakeService) -> None:
    failed = job(state="failed", error={"code": "deadline", "message": "take a smaller model"})
    service.on("GET /v1/jobs/job_1", failed)
    service.on("GET /v1/jobs/job_1/events", page())
    ran = adaptwin("jobs", "watch", "job_1", "--json")
    assert ran.code == ExitCode.FAILED
    assert ran.err.endswith("adaptwin: job_1 is failed: deadline: take a smaller model\n")
    assert '"state": "failed"' in ran.out


def test_speech_cannot_be_used(adaptwin: Adaptwin, service: FakeService, tmp_path: object) -> None:
    service.on("GET /v1/datasets/ds_1", dataset(state="failed", error={"code": "no_audio", "message": "send audio"}))
    ran = adaptwin("upload", __file__, "--dataset", "ds_1")
    assert ran.code == ExitCode.FAILED
    assert "the speech of Ada: no_audio: send audio" in ran.err


@pytest.mark.parametrize(
    ("words", "package", "extra"),
    [
        (["migrate"], "alembic", "service"),
        (["keys", "list"], "sqlalchemy", "service"),
        (["compress", "--model", "whisper-tiny.en", "--audio", "speech", "--out", "out"], "safetensors", "models"),
    ],
)
def test_packages_are_missing(tmp_path: Path, words: list[str], package: str, extra: str) -> None:
    (tmp_path / "speech").mkdir()
    (tmp_path / "speech" / "a.wav").write_bytes(b"sound")
    settings = {"DATABASE_URL": "postgresql://nowhere", "ADAPTWIN_SECRET_KEY": "0" * 32}
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT.format(package=package, words=words)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=os.environ | settings,
    )
    assert done.returncode == ExitCode.NOT_INSTALLED
    assert done.stderr == f'adaptwin: this command needs the package {package}: pip install "adaptwin[{extra}]"\n'


def test_a_module_of_ours_that_is_missing_is_a_fault() -> None:
    with pytest.raises(ModuleNotFoundError), extras.needs("service"):
        import adaptwin_core.no_such_module  # noqa: F401

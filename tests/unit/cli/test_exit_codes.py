"""The exit status of every kind of end, and the one sentence with it."""

import pytest

from adaptwin_core.cli import exit_codes, extras
from adaptwin_core.cli.exit_codes import CommandFailed, ExitCode
from tests.running_service import free_port
from tests.unit.cli.conftest import Adaptwin
from tests.unit.cli.fake_service import FakeService, dataset, job, page


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


def test_packages_are_missing(adaptwin: Adaptwin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "adaptwin_core.store.migrate", None)
    with pytest.raises(CommandFailed, match=r'needs the package sqlalchemy: pip install "adaptwin\[service\]"') as failed:
        _import_what_is_missing()
    assert failed.value.code is ExitCode.NOT_INSTALLED


def _import_what_is_missing() -> None:
    with extras.needs("service"):
        raise ModuleNotFoundError("No module named 'sqlalchemy.orm'", name="sqlalchemy.orm")


def test_a_module_of_ours_that_is_missing_is_a_fault() -> None:
    with pytest.raises(ModuleNotFoundError), extras.needs("service"):
        import adaptwin_core.no_such_module  # noqa: F401

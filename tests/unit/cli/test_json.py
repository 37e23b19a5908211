"""With --json a command prints one JSON document on standard output, and nothing else there."""

import hashlib
import json
from pathlib import Path

import pytest

from adaptwin_core.client import models
from tests.unit.cli.conftest import Adaptwin
from tests.unit.cli.fake_service import KEY, FakeService, dataset, job, model, page

REPORT = {
    "seconds": 60.0,
    "clips": 2,
    "labelled": 2,
    "splits": {"train": 60.0},
    "rejects": [{"name": "a.pdf", "code": "not_audio", "reason": "this is no audio"}],
    "warnings": [],
}


@pytest.fixture(autouse=True)
def _holds_things(service: FakeService) -> None:
    service.on("GET /v1/datasets", page(dataset("ds_2"), dataset("ds_1", "Bob")))
    service.on("GET /v1/datasets/ds_1", dataset("ds_1", "Bob", report=REPORT))
    service.on("GET /v1/datasets/ds_2", dataset("ds_2"))
    service.on("DELETE /v1/datasets/ds_1", None, 204)
    service.on("GET /v1/jobs", page(job("job_2", "running"), job("job_1", model_id="mdl_1")))
    service.on("GET /v1/jobs/job_1", job("job_1", model_id="mdl_1"))
    service.on("POST /v1/jobs/job_2/cancel", job("job_2", "cancelled"))
    service.on("GET /v1/models", page(model()))
    service.on("GET /v1/models/mdl_1", model())
    service.on("DELETE /v1/models/mdl_1", None, 204)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("datasets list", [{"id": "ds_2"}, {"id": "ds_1"}]),
        ("datasets report", {"id": "ds_2"}),
        ("datasets report Bob", {"id": "ds_1", "name": "Bob"}),
        ("datasets delete Bob --yes", {"id": "ds_1", "is_deleted": True}),
        ("jobs list", [{"id": "job_2"}, {"id": "job_1"}]),
        ("jobs cancel job_2", {"id": "job_2", "state": "cancelled"}),
        ("models list", [{"id": "mdl_1", "job_id": "job_1"}]),
        ("models report", {"id": "mdl_1"}),
        ("models report job_1", {"id": "mdl_1"}),
        ("models delete mdl_1 --yes", {"id": "mdl_1", "is_deleted": True}),
        ("models download --out here", {"model_id": "mdl_1", "folder": "here", "files": {}}),
    ],
)
def test_what_is_printed_is_json(adaptwin: Adaptwin, service: FakeService, words: str, found: object) -> None:
    ran = adaptwin(*words.split(), "--json")
    assert (ran.code, ran.err) == (0, "")
    _require_within(found, json.loads(ran.out))
    assert service.keys == {KEY}


def _require_within(expected: object, found: object) -> None:
    """Check that what is found has at least what is expected."""
    if isinstance(expected, dict):
        assert isinstance(found, dict)
        assert {name: found[name] for name in expected} == expected
    else:
        assert isinstance(expected, list)
        assert isinstance(found, list)
        for one, other in zip(expected, found, strict=True):
            _require_within(one, other)


def test_people_read_lines(adaptwin: Adaptwin) -> None:
    lines = adaptwin("datasets", "report", "Bob").out.splitlines()
    assert lines[0] == "Bob (ds_1) is ready"
    assert "speech: 2 clips, 2 with a transcript, 0 without" in lines
    assert "  a.pdf: this is no audio (not_audio)" in lines
    listed = adaptwin("jobs", "list").out.splitlines()
    assert [line.split()[:2] for line in listed] == [["job_2", "running"], ["job_1", "succeeded"]]


def test_an_empty_list_prints_nothing_and_an_empty_array(adaptwin: Adaptwin, service: FakeService) -> None:
    service.on("GET /v1/models", page())
    assert adaptwin("models", "list").out == ""
    assert json.loads(adaptwin("models", "list", "--json").out) == []


def test_names_are_resolved_or_refused(adaptwin: Adaptwin, service: FakeService) -> None:
    service.on("GET /v1/datasets", page(dataset("ds_2"), dataset("ds_1")))
    ran = adaptwin("datasets", "report", "Ada", "--json")
    assert (ran.code, ran.out) == (3, "")
    assert "several datasets have the name Ada: give one of ds_2, ds_1" in ran.err
    assert "there is no dataset Eve" in adaptwin("datasets", "report", "Eve").err
    assert "job_2 has no model to take: it is running" in _of_running_job(adaptwin, service)
    service.on("GET /v1/models", page())
    assert "there is no model yet" in adaptwin("models", "report").err


def _of_running_job(adaptwin: Adaptwin, service: FakeService) -> str:
    service.on("GET /v1/jobs/job_2", job("job_2", "running"))
    return adaptwin("models", "report", "job_2").err


def test_nothing_is_deleted_unasked(adaptwin: Adaptwin, service: FakeService) -> None:
    ran = adaptwin("datasets", "delete", "ds_1")
    assert ran.code == 2
    assert "say --yes" in ran.err
    assert not [name for name, _ in service.asked if name.startswith("DELETE")]


def test_a_folder_with_another_model_is_left_alone(adaptwin: Adaptwin, tmp_path: Path) -> None:
    (tmp_path / "adaptwin.json").write_text("another")
    ran = adaptwin("models", "download", "--out", str(tmp_path))
    assert ran.code == 1
    assert "holds another model" in ran.err


EXPORT = {"format": "dense", "progress": None, "error": None, "verdict": None}


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "POLL_S", 0.001)


def test_a_form_for_another_runtime_is_made_then_downloaded(
    adaptwin: Adaptwin, service: FakeService, tmp_path: Path
) -> None:
    digest = hashlib.sha256(b"{}").hexdigest()
    service.on("POST /v1/models/mdl_1/exports", EXPORT | {"state": "queued", "files": {}}, 202)
    files = {"config.json": {"sha256": digest, "bytes": 2}}
    service.on("GET /v1/models/mdl_1/exports/dense", EXPORT | {"state": "ready", "files": files})
    service.on("GET /v1/models/mdl_1/exports/dense/files/config.json", {})
    ran = adaptwin("models", "download", "--form", "dense", "--out", str(tmp_path / "dense"))
    assert (ran.code, ran.out.splitlines()[-1].split(": ")[1]) == (0, "1 file of mdl_1, 0.0 MB, each with its SHA-256")
    assert (tmp_path / "dense" / "config.json").read_text() == "{}"
    assert service.bodies("POST /v1/models/mdl_1/exports") == [{"format": "dense"}]


def test_a_form_that_nobody_knows_is_refused_here(adaptwin: Adaptwin, service: FakeService) -> None:
    ran = adaptwin("models", "download", "--form", "dens", "--out", "here")
    assert ran.code == 2
    assert "unknown form dens: did you mean dense?" in ran.err

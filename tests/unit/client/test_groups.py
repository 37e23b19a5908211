"""What the groups of routes make of answers that were lost, and of work that failed."""

import json
from typing import Any

import httpx
import pytest

from adaptwin_core.client import Failed, NewJob, ServiceError, Unreachable, WebhookChange, datasets, models
from adaptwin_core.client.datasets import AsyncDatasets
from adaptwin_core.client.jobs import AsyncJobs
from adaptwin_core.client.models import AsyncExports, AsyncModels
from adaptwin_core.client.webhooks import AsyncWebhooks
from tests.unit.client.answering import Script, found, problem

pytestmark = pytest.mark.anyio
NOW = "2026-01-01T00:00:00Z"
LOST = httpx.ReadError("cut")


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "POLL_S", 0.001)
    monkeypatch.setattr(models, "POLL_S", 0.001)


def dataset(state: str, **more: Any) -> httpx.Response:
    return found({"id": "ds_1", "name": "Ada", "state": state, "created_at": NOW} | NOTHING | more)


NOTHING = {"digest": None, "report": None, "error": None}


def job(state: str, **more: Any) -> httpx.Response:
    times = {"created_at": NOW, "started_at": None, "finished_at": None}
    of = {"dataset_id": "ds_1", "general_dataset_id": None, "name": None, "accept_little": False}
    lists: dict[str, Any] = {"base_models": ["tiny"], "models": [], "stages": []}
    none = {"stage": None, "error": None, "model_id": None, "verdict": None, "choice": None}
    return found({"id": "job_1", "state": state, **lists, **times, **of, **none} | more)


def export(state: str, **more: Any) -> httpx.Response:
    none = {"progress": None, "verdict": None, "error": None}
    return found({"format": "dense", "state": state, "files": {}} | none | more)


async def test_a_dataset_that_a_lost_request_sealed_is_sealed() -> None:
    script = Script(LOST, problem(409, "dataset_sealed"), dataset("probing"))
    assert (await AsyncDatasets(script.connection).seal("ds_1")).state == "probing"
    with pytest.raises(ServiceError, match="dataset_sealed"):
        await AsyncDatasets(Script(problem(409, "dataset_sealed")).connection).seal("ds_1")


async def test_sealing_waits_for_a_file_that_is_still_being_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    wait = problem(409, "uploads_being_stored")
    script = Script(wait, wait, dataset("probing"))
    assert (await AsyncDatasets(script.connection).seal("ds_1")).state == "probing"
    with pytest.raises(ServiceError, match="uploads_incomplete"):
        await AsyncDatasets(Script(problem(409, "uploads_incomplete")).connection).seal("ds_1")
    monkeypatch.setattr(datasets, "STORING_PATIENCE_S", 0.0)
    with pytest.raises(ServiceError, match="uploads_being_stored"):
        await AsyncDatasets(Script(wait).connection).seal("ds_1")


async def test_a_dataset_is_waited_for() -> None:
    script = Script(dataset("probing"), dataset("probing"), dataset("ready"))
    assert (await AsyncDatasets(script.connection).wait("ds_1")).state == "ready"
    script = Script(dataset("failed", error={"code": "no_audio", "message": "send audio"}))
    with pytest.raises(Failed, match="the speech of Ada: no_audio: send audio"):
        await AsyncDatasets(script.connection).wait("ds_1")


async def test_a_dataset_that_nobody_sealed_is_not_waited_for() -> None:
    with pytest.raises(Failed, match="seal it first"):
        await AsyncDatasets(Script(dataset("open")).connection).wait("ds_1")


async def test_a_job_whose_answer_was_lost_is_submitted_once() -> None:
    script = Script(LOST, job("queued"))
    submitted = await AsyncJobs(script.connection).submit(NewJob(dataset_id=f"ds_{'0' * 26}", base_model="tiny"))
    assert submitted.id == "job_1"
    keys = {request.headers["Idempotency-Key"] for request in script.requests}
    assert len(script.requests) == 2
    assert len(keys) == 1


async def test_a_job_that_a_lost_request_cancelled_is_cancelled() -> None:
    script = Script(LOST, problem(409, "illegal_state"), job("cancelled"))
    assert (await AsyncJobs(script.connection).cancel("job_1")).state == "cancelled"
    script = Script(LOST, problem(409, "illegal_state"), job("succeeded"))
    with pytest.raises(ServiceError, match="illegal_state"):
        await AsyncJobs(script.connection).cancel("job_1")


async def test_a_job_that_fails_says_why() -> None:
    no_events = found({"items": [], "has_more": False})
    error = {"code": "deadline", "message": "take a smaller model"}
    script = Script(httpx.Response(200), job("failed"), no_events, job("failed", error=error))
    with pytest.raises(Failed, match="job job_1: deadline: take a smaller model"):
        await AsyncJobs(script.connection).wait("job_1")
    script = Script(httpx.Response(200), job("cancelled"), no_events, job("cancelled"))
    with pytest.raises(Failed, match="cancelled"):
        await AsyncJobs(script.connection).wait("job_1")


async def test_an_export_is_asked_for_again_after_a_break_and_waited_for() -> None:
    script = Script(LOST, export("queued"), export("running"), export("ready"))
    exports = AsyncExports(script.connection)
    assert (await exports.request("mdl_1", "dense")).state == "queued"
    assert (await exports.wait("mdl_1", "dense")).state == "ready"


@pytest.mark.parametrize(
    ("state", "more", "said"),
    [
        ("failed", {"error": {"code": "internal", "message": "report it"}}, "internal: report it"),
        ("refused", {"verdict": {"why": "it hears worse"}}, "refused: it hears worse"),
    ],
)
async def test_an_export_that_will_not_be_ready_says_why(state: str, more: dict[str, Any], said: str) -> None:
    with pytest.raises(Failed, match=said):
        await AsyncExports(Script(export(state, **more)).connection).wait("mdl_1", "dense")


async def test_an_export_that_is_not_ready_is_not_downloaded(tmp_path: Any) -> None:
    with pytest.raises(Failed, match="wait until it is ready"):
        await AsyncExports(Script(export("running")).connection).download("mdl_1", "dense", tmp_path)


async def test_a_webhook_whose_change_was_lost_is_changed_again_by_what_was_set() -> None:
    webhook = {"id": "wh_1", "url": "https://a.test/", "events": None, "is_enabled": True, "created_at": NOW}
    script = Script(LOST, found(webhook))
    changed = await AsyncWebhooks(script.connection).change("wh_1", WebhookChange(events=None))
    assert changed.events is None
    assert [json.loads(request.content) for request in script.requests] == [{"events": None}] * 2


async def test_a_webhook_whose_answer_was_lost_is_not_made_twice() -> None:
    script = Script(LOST)
    with pytest.raises(Unreachable):
        await AsyncWebhooks(script.connection).create("https://a.test/")
    assert script.asked == ["POST /v1/webhooks"]


async def test_a_model_names_its_files() -> None:
    manifest = {"files": {"a": {"sha256": "0", "bytes": 3}}}
    script = Script(
        found({"id": "mdl_1", "job_id": "job_1", "created_at": NOW, "num_downloads": 0, "manifest": manifest})
    )
    assert (await AsyncModels(script.connection).get("mdl_1")).files["a"].bytes == 3

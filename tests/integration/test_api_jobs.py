"""Jobs over REST: submit once, look, follow live, cancel."""

import json
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func

from adaptwin_core.domain.states import JOB_STAGES, TaskState
from adaptwin_core.service import jobs
from adaptwin_core.store.engine import unit_of_work
from tests.integration import world
from tests.integration.api_world import add_model, add_ready_dataset
from tests.integration.conftest import Principal


@pytest.fixture
def body(owner: Principal, tmp_path: Path) -> dict[str, Any]:
    world.add_base()
    return {
        "dataset_id": add_ready_dataset(owner, tmp_path),
        "base_model": world.BASE_ID,
        "name": "my voice",
        "spec": {"encoder_cut": 0.45},
    }


def test_one_key_makes_one_job(owner: Principal, body: dict[str, Any]):
    key = {"Idempotency-Key": "demo-1"}
    first = owner.client.post("/v1/jobs", json=body, headers=key)
    assert first.status_code == 201
    assert first.headers["location"] == f"/v1/jobs/{first.json()['id']}"
    again = owner.client.post("/v1/jobs", json=body, headers=key)
    assert (again.status_code, again.headers["idempotency-replayed"]) == (200, "true")
    assert again.json()["id"] == first.json()["id"]
    other = owner.client.post("/v1/jobs", json=body | {"name": "other"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_mismatch")
    assert len(owner.client.get("/v1/jobs").json()["items"]) == 1


def test_a_job_shows_every_stage_and_task(owner: Principal, body: dict[str, Any]):
    job_id = owner.client.post("/v1/jobs", json=body).json()["id"]
    with unit_of_work() as session:
        first = jobs.tasks(session, owner.scope, job_id)[0]
        first.state, first.attempt, first.progress = TaskState.RUNNING, 2, {"step": 3, "total": 9}
        first.started_at = func.now()
    shown = owner.client.get(f"/v1/jobs/{job_id}").json()
    assert shown["spec"]["encoder_cut"] == 0.45
    assert (shown["state"], shown["stage"], shown["model_id"]) == ("queued", "personalize", None)
    assert [stage["stage"] for stage in shown["stages"]] == list(JOB_STAGES)
    personalize = shown["stages"][0]
    assert (personalize["num_done"], personalize["num_tasks"]) == (0, 1)
    task = personalize["tasks"][0]
    assert (task["key"], task["state"], task["attempt"]) == ("model", "running", 2)
    assert task["progress"] == {"step": 3, "total": 9}
    assert 0 <= task["seconds"] < 60


def test_a_finished_job_names_its_model(owner: Principal, tmp_path: Path):
    job_id, model_id, _ = add_model(owner, tmp_path)
    assert owner.client.get(f"/v1/jobs/{job_id}").json()["model_id"] == model_id
    assert owner.client.delete(f"/v1/models/{model_id}").status_code == 204
    assert owner.client.get(f"/v1/jobs/{job_id}").json()["model_id"] is None


def test_a_bad_job_says_what_is_wrong(owner: Principal, body: dict[str, Any]):
    cases: list[tuple[dict[str, Any], int, str | None]] = [
        ({"spec": {"encoder_cut": 0.9}}, 422, "body.spec.encoder_cut"),
        ({"spec": {"encoder_cut": 0, "personal_steps": 0}}, 422, "body.spec"),
        ({"spec": {"speed": 1}}, 422, "body.spec.speed"),
        ({"spec": {"language": "klingon"}}, 422, "body.spec.language"),
        ({"spec": {"language": "auto"}}, 422, "body.spec.language"),
        ({"extra": 1}, 422, "body.extra"),
        ({"name": "a\x00b"}, 422, "body.name"),
        ({"name": "\ud800"}, 422, "body.name"),
        ({"\ud800": 1}, 422, "body"),
        ({"dataset_id": "../../etc"}, 422, "body.dataset_id"),
        ({"base_model": "nothing"}, 404, None),
    ]
    for change, status, where in cases:
        answer = owner.client.post(
            "/v1/jobs", content=json.dumps(body | change), headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == status, (change, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        if where:
            assert where in [error["location"] for error in answer.json()["errors"]]


def test_cancelling_is_final(owner: Principal, body: dict[str, Any]):
    job_id = owner.client.post("/v1/jobs", json=body).json()["id"]
    assert owner.client.post(f"/v1/jobs/{job_id}/cancel").json()["state"] == "cancelled"
    assert owner.client.post(f"/v1/jobs/{job_id}/cancel").status_code == 409


def _events(answer: httpx.Response) -> list[dict[str, str]]:
    blocks = [block for block in answer.text.split("\n\n") if block and not block.startswith(":")]
    return [dict(line.split(": ", 1) for line in block.splitlines()) for block in blocks]


def test_events_are_told_live_and_end_with_the_job(owner: Principal, body: dict[str, Any]):
    job_id = owner.client.post("/v1/jobs", json=body).json()["id"]
    listed = owner.client.get(f"/v1/jobs/{job_id}/events").json()["items"]
    assert [event["kind"] for event in listed] == ["state", "warning", "stage"]

    def cancel_soon() -> None:
        time.sleep(1.5)
        with unit_of_work() as session:
            jobs.cancel(session, owner.scope, job_id)

    canceller = threading.Thread(target=cancel_soon)
    canceller.start()
    stream = owner.client.get(f"/v1/jobs/{job_id}/events", headers={"Accept": "text/event-stream"})
    canceller.join()
    assert stream.headers["content-type"].startswith("text/event-stream")
    told = _events(stream)
    assert [event["event"] for event in told] == ["state", "warning", "stage", "state"]
    assert json.loads(told[-1]["data"])["data"]["state"] == "cancelled"
    resumed = owner.client.get(
        f"/v1/jobs/{job_id}/events", headers={"Accept": "text/event-stream", "Last-Event-ID": told[1]["id"]}
    )
    assert [event["id"] for event in _events(resumed)] == [event["id"] for event in told[2:]]
    page = owner.client.get(f"/v1/jobs/{job_id}/events", params={"after": told[0]["id"], "limit": 2}).json()
    assert ([str(event["id"]) for event in page["items"]], page["has_more"]) == (
        [event["id"] for event in told[1:3]],
        True,
    )

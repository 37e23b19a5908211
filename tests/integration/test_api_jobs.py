"""Jobs over REST: submit once, look, follow live, cancel."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func

from adaptwin_core.domain.stage_table import JOB_STAGES
from adaptwin_core.domain.states import TaskState
from adaptwin_core.service import jobs
from tests.integration import world
from tests.integration.api_world import add_model, add_ready_dataset
from tests.integration.conftest import Principal
from tests.service_under_test import unit_of_work


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
    assert shown["models"][0]["spec"]["encoder_cut"] == 0.45
    assert (shown["state"], shown["stage"], shown["model_id"]) == ("queued", "personalize", None)
    assert [stage["stage"] for stage in shown["stages"]] == list(JOB_STAGES)
    vocabulary, personalize = shown["stages"][:2]
    assert (vocabulary["stage"], vocabulary["num_tasks"], vocabulary["tasks"]) == ("vocabulary", 0, [])  # English only
    assert personalize["stage"] == "personalize"
    assert (personalize["num_done"], personalize["num_tasks"]) == (0, 1)
    task = personalize["tasks"][0]
    assert (task["key"], task["state"], task["attempt"]) == ("model", "running", 2)
    assert task["progress"] == {"step": 3, "total": 9}
    assert 0 <= task["seconds"] < 60


def test_a_finished_job_names_its_model(owner: Principal, tmp_path: Path):
    job_id, model_id, _ = add_model(owner, tmp_path)
    shown = owner.client.get(f"/v1/jobs/{job_id}").json()
    assert (shown["model_id"], shown["verdict"]) == (model_id, world.VERDICT)
    assert owner.client.delete(f"/v1/models/{model_id}").status_code == 204
    shown = owner.client.get(f"/v1/jobs/{job_id}").json()
    assert (shown["model_id"], shown["verdict"]) == (None, None)


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


@pytest.mark.parametrize(
    ("change", "where", "told"),
    [
        ({"spec": {"encoder_cutt": 0.4}}, "body.spec.encoder_cutt", "did you mean encoder_cut?"),
        ({"spec": {"ranks": {"neuron": 4}}}, "body.spec.ranks.neuron", "did you mean neurons?"),
        ({"acept_little": True}, "body.acept_little", "did you mean accept_little?"),
        ({"language": "de"}, "body.language", "unknown field language"),
        ({"spec": {"encoder_cut": 0.4, "max_bytes": 20_000_000}}, "body.spec", "leave encoder_cut out"),
        ({"spec": {"plan": "uniform", "ranks": {"qk": 32}}}, "body.spec", "leave plan out"),
        ({"spec": {"encoder_cut": 0.9}}, "body.spec.encoder_cut", "must be less than or equal to 0.8, not 0.9"),
    ],
)
def test_a_setting_that_is_refused_is_answered_with_what_to_write(
    owner: Principal, body: dict[str, Any], change: dict[str, Any], where: str, told: str
):
    answer = owner.client.post("/v1/jobs", json=body | change)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    [error] = answer.json()["errors"]
    assert error["location"] == where
    assert told in error["message"]
    assert told in answer.json()["detail"]


@pytest.mark.parametrize("name", ["TINY-RANDOM", "openai/tiny-random", "tiny-rendom"])
def test_an_unknown_base_model_is_answered_with_the_nearest(owner: Principal, body: dict[str, Any], name: str):
    answer = owner.client.post("/v1/jobs", json=body | {"base_model": name})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert f"no base model is called {name}. Did you mean {body['base_model']}?" in answer.json()["detail"]
    assert "GET /v1/base-models" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("sent", "media_type", "told"),
    [
        (b'{"name":', "application/json", "body: is not JSON: Expecting value at character 8"),
        (b"[1]", "application/json", "body: must be a JSON object"),
        (
            b'{"name": "Ada"}',
            "application/x-www-form-urlencoded",
            "sent with the header Content-Type: application/json",
        ),
        (b"", "application/json", "body: must be given"),
    ],
)
def test_a_body_that_is_no_json_object_says_so(owner: Principal, sent: bytes, media_type: str, told: str):
    answer = owner.client.post("/v1/datasets", content=sent, headers={"Content-Type": media_type})
    assert answer.status_code == 422
    assert told in answer.json()["detail"]


def test_a_misspelt_field_of_a_dataset_is_answered_with_the_nearest(owner: Principal):
    answer = owner.client.post("/v1/datasets", json={"nmae": "Ada"})
    assert "unknown field nmae: did you mean name?" in answer.json()["detail"]


def test_the_settings_of_a_job_can_be_sent_again_as_they_are_shown(owner: Principal, body: dict[str, Any]):
    first = owner.client.post("/v1/jobs", json=body | {"spec": {"max_bytes": 15_000_000}})
    assert first.status_code == 201, first.text
    again = owner.client.post("/v1/jobs", json=body | {"spec": first.json()["models"][0]["spec"] | {"seed": 1}})
    assert again.status_code == 201, again.text


@pytest.mark.parametrize(
    ("report", "told"),
    [
        (world.report(train=1, valid=0, test=0), "the speech is one clip of 10 seconds"),
        (world.report(test=0), "no speech is held out for testing"),
        (world.report(train=5), "50 seconds of transcribed speech to train on, and at least 1 minute is needed"),
        (world.report(train=5, labelled=False), "50 seconds of speech to train on"),
    ],
)
def test_a_hopeless_job_is_refused_unless_the_person_says_the_word(
    owner: Principal, body: dict[str, Any], tmp_path: Path, report: dict[str, Any], told: str
):
    little = body | {"dataset_id": world.add_dataset(owner.scope, tmp_path, report=report)}
    key = {"Idempotency-Key": "little"}
    refused = owner.client.post("/v1/jobs", json=little, headers=key)
    assert (refused.status_code, refused.json()["code"]) == (422, "too_little_speech")
    assert told in refused.json()["detail"]
    assert "accept_little" in refused.json()["detail"]
    assert owner.client.get("/v1/jobs").json()["items"] == []
    taken = owner.client.post("/v1/jobs", json=little | {"accept_little": True}, headers=key)
    assert (taken.status_code, taken.json()["accept_little"]) == (201, True)
    assert owner.client.get(f"/v1/jobs/{taken.json()['id']}").json()["accept_little"] is True
    assert "accept_little" not in taken.json()["models"][0]["spec"], "it does not change the result"
    events = owner.client.get(f"/v1/jobs/{taken.json()['id']}/events").json()["items"]
    accepted = [event["message"] for event in events if event["data"].get("code") == "accepted_little"]
    assert any(told in message for message in accepted)


def test_a_job_with_nothing_to_learn_from_is_refused_with_the_word_too(
    owner: Principal, body: dict[str, Any], tmp_path: Path
):
    dataset_id = world.add_dataset(owner.scope, tmp_path, report=world.report(train=0))
    answer = owner.client.post("/v1/jobs", json=body | {"dataset_id": dataset_id, "accept_little": True})
    assert (answer.status_code, answer.json()["code"]) == (422, "no_training_speech")
    assert "none of the 3 clips are for training" in answer.json()["detail"]


def test_general_speech_must_have_something_to_learn(owner: Principal, body: dict[str, Any], tmp_path: Path):
    others = world.add_dataset(owner.scope, tmp_path, "others", report=world.report(train=0))
    answer = owner.client.post("/v1/jobs", json=body | {"general_dataset_id": others})
    assert answer.json()["code"] == "too_little_speech"
    assert "general speech" in answer.json()["detail"]


def test_cancelling_is_final(owner: Principal, body: dict[str, Any]):
    job_id = owner.client.post("/v1/jobs", json=body).json()["id"]
    assert owner.client.post(f"/v1/jobs/{job_id}/cancel").json()["state"] == "cancelled"
    again = owner.client.post(f"/v1/jobs/{job_id}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "illegal_state")
    assert again.json()["detail"] == "the job is cancelled: there is nothing left to stop"


def _events(text: str) -> list[dict[str, str]]:
    blocks = [block for block in text.split("\n\n") if block and not block.startswith(":")]
    return [dict(line.split(": ", 1) for line in block.splitlines()) for block in blocks]


def test_events_are_told_live_and_end_with_the_job(owner: Principal, body: dict[str, Any]):
    job_id = owner.client.post("/v1/jobs", json=body).json()["id"]
    listed = owner.client.get(f"/v1/jobs/{job_id}/events").json()["items"]
    assert [event["kind"] for event in listed] == ["state", "warning", "stage"]

    live, text, is_cancelled = {"Accept": "text/event-stream"}, "", False
    with owner.client.stream("GET", f"/v1/jobs/{job_id}/events", headers=live) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        for piece in stream.iter_text():
            text += piece
            if "event: stage" in text and not is_cancelled:
                with unit_of_work() as session:
                    jobs.cancel(session, owner.scope, job_id)
                is_cancelled = True
    told = _events(text)
    assert [event["event"] for event in told] == ["state", "warning", "stage", "state"]
    assert json.loads(told[-1]["data"])["data"]["state"] == "cancelled"
    resumed = owner.client.get(
        f"/v1/jobs/{job_id}/events", headers={"Accept": "text/event-stream", "Last-Event-ID": told[1]["id"]}
    )
    assert [event["id"] for event in _events(resumed.text)] == [event["id"] for event in told[2:]]
    page = owner.client.get(f"/v1/jobs/{job_id}/events", params={"after": told[0]["id"], "limit": 2}).json()
    assert ([str(event["id"]) for event in page["items"]], page["has_more"]) == (
        [event["id"] for event in told[1:3]],
        True,
    )


def test_a_list_shows_one_state(owner: Principal, body: dict[str, Any]):
    first, second, third = (owner.client.post("/v1/jobs", json=body).json()["id"] for _ in range(3))
    assert owner.client.post(f"/v1/jobs/{second}/cancel").status_code == 202
    for state, ids in (("queued", [third, first]), ("cancelled", [second]), ("running", [])):
        page = owner.client.get("/v1/jobs", params={"state": state}).json()
        assert ([item["id"] for item in page["items"]], page["has_more"]) == (ids, False)
    page = owner.client.get("/v1/jobs", params={"state": "queued", "limit": 1}).json()
    assert ([item["id"] for item in page["items"]], page["has_more"]) == ([third], True)

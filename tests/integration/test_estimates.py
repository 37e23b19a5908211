"""What a job would be, what it refuses, where it stands in the queue, and how long it has left."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from adaptwin_core.domain.stage_table import JOB_STAGES
from adaptwin_core.domain.stages import Queue, Stage
from adaptwin_core.domain.states import JobState, TaskState
from adaptwin_core.service import job_control, jobs
from adaptwin_core.store.queries import workers
from adaptwin_core.store.tables import Event, Task
from tests.integration import world
from tests.integration.conftest import Principal
from tests.service_under_test import changed, service, unit_of_work
from worker.context import StageContext
from worker.presence import FORGET_AFTER
from worker.runner import run_task


@pytest.fixture
def body(owner: Principal, tmp_path: Path) -> dict[str, Any]:
    world.add_base()
    return {"dataset_id": world.add_dataset(owner.scope, tmp_path), "base_model": world.BASE_ID, "spec": {}}


def estimate(owner: Principal, body: dict[str, Any]) -> dict[str, Any]:
    answer = owner.client.post("/v1/estimates", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def problems(found: dict[str, Any]) -> list[str]:
    return [problem["code"] for problem in found["problems"]]


def job(owner: Principal, job_id: str) -> dict[str, Any]:
    found: dict[str, Any] = owner.client.get(f"/v1/jobs/{job_id}").json()
    return found


def test_an_estimate_tells_size_and_time(owner: Principal, body: dict[str, Any]):
    found = estimate(owner, body | {"spec": {"plan": "uniform"}})
    assert found["problems"] == []
    assert [remark["code"] for remark in found["remarks"]] == ["no_general_speech"]
    [model] = found["models"]
    assert (model["base_model"], model["is_exact"], model["why_not_exact"]) == (world.BASE_ID, True, [])
    assert model["encoder_params"] < 0.66 * world.SHAPE.encoder_params
    assert model["bytes"] == 2 * model["total_params"]
    work = found["work"]
    assert 0 < work["time"]["low_s"] < work["time"]["likely_s"] < work["time"]["high_s"]
    assert work["time"] == work["alone"]
    assert {stage["stage"] for stage in work["stages"]} == set(JOB_STAGES) - {"vocabulary", "weigh", "search", "choose"}
    assert sum(stage["time"]["likely_s"] for stage in work["stages"]) == pytest.approx(work["alone"]["likely_s"])
    assert work["memory_bytes"] > 10**9
    assert work["disk_bytes"] > model["bytes"]
    assert (found["workers"], found["rates"]) == (0, "default")
    assert owner.client.get("/v1/jobs").json()["items"] == []


def test_a_size_that_is_to_be_measured_is_told_as_not_exact(owner: Principal, body: dict[str, Any]):
    [model] = estimate(owner, body)["models"]
    assert not model["is_exact"]
    assert "measurements" in model["why_not_exact"][0]
    [model] = estimate(owner, body | {"spec": {"max_bytes": 20_000_000}})["models"]
    assert 19_000_000 < model["bytes"] <= 20_000_000


def test_everything_that_is_wrong_is_told_at_once(owner: Principal, tmp_path: Path, body: dict[str, Any]):
    little = world.add_dataset(owner.scope, tmp_path, "little", world.report(train=2, labelled=False))
    wrong = body | {"dataset_id": little, "spec": {"max_wer": 5.0, "language": "de"}}
    found = estimate(owner, wrong)
    assert problems(found) == ["language_not_in_base", "nothing_to_search_by", "too_little_speech"]
    assert found["work"] is not None
    for change, code in (({"spec": {}, "accept_little": True}, None), ({"spec": {}}, "too_little_speech")):
        found = estimate(owner, wrong | change)
        assert problems(found) == ([code] if code else [])
        answer = owner.client.post("/v1/jobs", json=wrong | change)
        assert (answer.json().get("code"), answer.is_success) == (code, code is None)


def test_what_is_not_there_is_told(owner: Principal, stranger: Principal, tmp_path: Path, body: dict[str, Any]):
    foreign = world.add_dataset(stranger.scope, tmp_path, "foreign")
    found = estimate(owner, body | {"base_model": "nothing", "general_dataset_id": foreign})
    assert problems(found) == ["not_found", "not_found"]
    assert (found["models"], found["work"]) == ([], None)
    found = estimate(owner, body | {"general_dataset_id": body["dataset_id"]})
    assert problems(found) == ["invalid_input"]


def test_a_size_out_of_reach_is_told_without_a_model(owner: Principal, body: dict[str, Any]):
    found = estimate(owner, body | {"spec": {"max_bytes": 1_000_000}})
    assert problems(found) == ["invalid_spec"]
    assert (found["models"], found["work"]) == ([], None)


def test_contradicting_settings_are_refused_as_when_submitting(owner: Principal, body: dict[str, Any]):
    wrong = body | {"spec": {"encoder_cut": 0.3, "max_wer": 5.0}}
    answers = [owner.client.post(path, json=wrong) for path in ("/v1/estimates", "/v1/jobs")]
    assert [answer.status_code for answer in answers] == [422, 422]
    assert answers[0].json()["errors"] == answers[1].json()["errors"]


def test_what_an_earlier_job_made_takes_no_time(owner: Principal, body: dict[str, Any]):
    before = estimate(owner, body)["work"]
    owner.client.post("/v1/jobs", json=body)
    world.run_all()
    again, smaller = (estimate(owner, body | {"spec": spec})["work"] for spec in ({}, {"encoder_cut": 0.45}))
    assert again["alone"]["likely_s"] == 0
    kept = {stage["stage"]: stage["num_kept"] for stage in smaller["stages"]}
    assert kept == {
        "personalize": 1,
        "calibrate": 2,
        "weigh": 6,
        "factorize": 0,
        "tune": 0,
        "evaluate": 1,  # of the base model
        "publish": 0,
    }
    assert 0 < smaller["alone"]["likely_s"] < 0.7 * before["alone"]["likely_s"]


def test_tasks_that_did_the_work_correct_the_rates(owner: Principal, tmp_path: Path, body: dict[str, Any]):
    before = estimate(owner, body)
    first = world.submit(owner.scope, tmp_path)
    world.run_all()
    with unit_of_work() as session:
        rows = session.scalars(select(Task).where(Task.job_id == first)).all()
        assert all(task.worked_s is not None and task.expected_s is not None for task in rows)
        session.execute(update(Task).values(worked_s=3 * Task.expected_s))
    other = world.add_dataset(owner.scope, tmp_path, "other speech")
    after = estimate(owner, body | {"dataset_id": other})
    assert (before["rates"], after["rates"]) == ("default", "measured")
    assert after["work"]["alone"]["likely_s"] == pytest.approx(3 * before["work"]["alone"]["likely_s"], rel=0.05)


def test_tasks_that_took_kept_results_are_not_measured(owner: Principal, tmp_path: Path, body: dict[str, Any]):
    jobs_of = [owner.client.post("/v1/jobs", json=body | {"name": name}).json()["id"] for name in ("a", "b")]
    world.run_all()
    tasks = [task for job_id in jobs_of for task in world.task_rows(job_id)]
    worked = [task for task in tasks if task.worked_s is not None]
    assert len(worked) == len(tasks) // 2
    assert len({(task.stage, task.key) for task in worked}) == len(worked)


def test_workers_that_are_there_are_counted(owner: Principal, body: dict[str, Any]):
    alone = estimate(owner, body)["work"]["alone"]["likely_s"]
    with unit_of_work() as session:
        for name in ("a", "b", "c"):
            workers.seen(session, name, {Queue.MODEL, Queue.AUDIO}, forget_after=FORGET_AFTER)
        workers.seen(session, "reader", {Queue.AUDIO}, forget_after=FORGET_AFTER)
        workers.seen(session, "c", {Queue.MODEL}, forget_after=FORGET_AFTER)
    found = estimate(owner, body)
    assert found["workers"] == 3
    assert found["work"]["alone"]["likely_s"] < alone


def test_a_job_shows_its_place_and_the_time_left(owner: Principal, body: dict[str, Any]):
    first, second = (owner.client.post("/v1/jobs", json=body | {"name": name}).json() for name in ("a", "b"))
    assert (first["queue_position"], second["queue_position"]) == (1, 2)
    assert 0 < first["time_left"]["likely_s"] < second["time_left"]["likely_s"]
    run_task(service(), world.queued_ids()[0], lambda: world.stub_stage)
    now = job(owner, first["id"])
    assert now["time_left"]["low_s"] < first["time_left"]["low_s"]
    assert now["queue_position"] == 2  # its next stage stands behind the other job
    assert job(owner, second["id"])["queue_position"] == 1


def test_a_running_task_counts_as_far_as_it_tells(owner: Principal, body: dict[str, Any]):
    job_id = owner.client.post("/v1/jobs", json=body).json()["id"]
    left = []
    for step in (0, 60, 120):
        with unit_of_work() as session:
            values = {"state": TaskState.RUNNING, "progress": {"step": step, "total": 240}}
            session.execute(update(Task).where(Task.job_id == job_id).values(**values))
        shown = job(owner, job_id)
        assert shown["queue_position"] is None
        left.append(shown["time_left"]["likely_s"])
    assert left[0] - left[1] == pytest.approx(left[1] - left[2])
    assert left[0] > left[1] > left[2] > 0


def test_a_paused_job_shows_the_time_it_will_take_and_an_ended_one_none(owner: Principal, body: dict[str, Any]):
    job_id = owner.client.post("/v1/jobs", json=body).json()["id"]
    paused = owner.client.post(f"/v1/jobs/{job_id}/pause")
    assert (paused.status_code, paused.json()["state"], paused.json()["queue_position"]) == (202, "paused", None)
    assert paused.json()["time_left"]["likely_s"] > 0
    assert owner.client.get("/v1/jobs?state=paused").json()["items"][0]["id"] == job_id
    resumed = owner.client.post(f"/v1/jobs/{job_id}/resume").json()
    assert (resumed["state"], resumed["queue_position"]) == ("queued", 1)
    with unit_of_work() as session:
        jobs.cancel(session, owner.scope, job_id)
    ended = job(owner, job_id)
    assert (ended["queue_position"], ended["time_left"]) == (None, None)
    assert owner.client.post(f"/v1/jobs/{job_id}/pause").json()["code"] == "illegal_state"
    assert owner.client.post(f"/v1/jobs/{job_id}/retry").json()["state"] == "queued"


def test_a_paused_job_delays_nobody(owner: Principal, body: dict[str, Any]):
    first, second = (owner.client.post("/v1/jobs", json=body | {"name": name}).json()["id"] for name in ("a", "b"))
    waiting = job(owner, second)
    with unit_of_work() as session:
        job_control.pause(session, owner.scope, first)
    alone = job(owner, second)
    assert (waiting["queue_position"], alone["queue_position"]) == (2, 1)
    assert alone["time_left"]["likely_s"] < waiting["time_left"]["likely_s"]


def test_a_job_of_another_version_hides_no_times(owner: Principal, body: dict[str, Any]):
    first, second = (owner.client.post("/v1/jobs", json=body | {"name": name}).json()["id"] for name in ("a", "b"))
    with unit_of_work() as session:
        jobs.get(session, owner.scope, first).members[0].spec_json = {"of": "another version"}
    assert job(owner, second)["time_left"]["likely_s"] > 0
    assert estimate(owner, body)["work"] is not None


def test_progress_is_told_as_events_now_and_then(owner: Principal, tmp_path: Path):
    job_id = world.submit(owner.scope, tmp_path)

    def body(ctx: StageContext):
        for step in range(1, 101):
            ctx.progress(step, 100, loss=0.5)
            ctx.lease._done.wait(0.01)
        return world.stub_stage(ctx)

    with changed(heartbeat_s=0.005) as quick:
        run_task(quick, world.queued_ids()[0], lambda: body)
    with unit_of_work() as session:
        told = session.scalars(select(Event).where(Event.job_id == job_id, Event.kind == "progress")).all()
    assert 5 <= len(told) <= 20
    first = told[0]
    assert first.message == f"personalize model: {first.data['step']} of 100"
    assert (first.data["stage"], first.data["task"], first.data["loss"]) == (Stage.PERSONALIZE, "model", 0.5)
    steps = [event.data["step"] for event in told]
    assert all(later - earlier >= 5 for earlier, later in pairwise(steps))
    assert world.job_row(job_id).state == JobState.RUNNING


def test_a_job_of_several_models_is_estimated_as_one(owner: Principal, body: dict[str, Any]):
    sizes = [{"encoder_cut": 0.2, "weights": "int8"}, {"encoder_cut": 0.45, "weights": "int8"}]
    family = estimate(owner, body | {"make": sizes})
    alone = [estimate(owner, body | {"spec": size}) for size in sizes]
    assert [model["bytes"] for model in family["models"]] == [one["models"][0]["bytes"] for one in alone]
    seconds = [one["work"]["alone"]["likely_s"] for one in alone]
    assert max(seconds) < family["work"]["alone"]["likely_s"] < sum(seconds)
    tasks = {stage["stage"]: stage["num_tasks"] for stage in family["work"]["stages"]}
    job_id = owner.client.post("/v1/jobs", json=body | {"make": sizes}).json()["id"]
    left = job(owner, job_id)["time_left"]["likely_s"]
    assert left == pytest.approx(family["work"]["alone"]["likely_s"], rel=0.02)
    world.run_all()
    ran = {stage["stage"]: stage["num_tasks"] for stage in job(owner, job_id)["stages"] if stage["num_tasks"]}
    assert tasks == ran


def test_what_is_wrong_with_one_of_several_models_is_told_once(owner: Principal, body: dict[str, Any]):
    del body["base_model"]
    found = estimate(owner, body | {"base_models": [world.BASE_ID, "nothing"], "make": "frontier"})
    assert problems(found) == ["not_found"]
    assert (found["models"], found["work"]) == ([], None)

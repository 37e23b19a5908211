"""Jobs of several models: what they share is done once, one of them is taken, and each is a model of its own."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from adaptwin_core.domain.members import Member
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.stages import Stage
from adaptwin_core.service import exports, models
from adaptwin_core.store.tables import Model, Result
from tests.integration import world
from tests.integration.api_world import Principal
from tests.service_under_test import service, unit_of_work

SIZES = ({"encoder_cut": 0.2}, {"encoder_cut": 0.5}, {"encoder_cut": 0.5, "weights": "int8"})


@pytest.fixture
def job_id(scope: TenantScope, tmp_path: Path) -> str:
    members = [Member(base_model=world.BASE_ID, spec=CompressionSpec.model_validate(size)) for size in SIZES]
    return world.submit(scope, tmp_path, members=members)


def shared(job_id: str, stage: Stage) -> list[tuple[int, ...]]:
    """Return for which models each task of a stage is, without repeating a pattern."""
    return sorted({tuple(task.models) for task in world.task_rows(job_id, stage)})


def made(scope: TenantScope, job_id: str) -> dict[int, Model]:
    with unit_of_work() as session:
        return dict(models.of_job(session, scope, job_id))


def test_what_several_models_have_in_common_is_done_once(job_id: str):
    world.run_all()
    assert shared(job_id, Stage.PERSONALIZE) == shared(job_id, Stage.CALIBRATE) == [(0, 1, 2)]
    assert shared(job_id, Stage.WEIGH) == [(0, 1, 2)]
    assert shared(job_id, Stage.FACTORIZE) == [(0,), (1, 2)], "the bits do not matter to a cut"
    assert shared(job_id, Stage.TUNE) == [(0,), (1,), (2,)]
    evaluated = {task.key: task.models for task in world.task_rows(job_id, Stage.EVALUATE)}
    assert evaluated["base:speaker:whole"] == [0, 1, 2]
    assert "compressed:speaker:fitted:valid" in evaluated
    assert shared(job_id, Stage.CHOOSE) == [(0, 1, 2)]
    results = [task.result_key for task in world.task_rows(job_id)]
    assert len(set(results)) == len(results), "no task does the work of another"


def test_every_model_is_published_and_one_is_the_one_to_take(job_id: str, scope: TenantScope):
    world.run_all()
    found = made(scope, job_id)
    assert sorted(found) == [0, 1, 2]
    assert len({model.manifest["files"]["model.safetensors"]["sha256"] for model in found.values()}) == 3
    assert (world.job_row(job_id).choice or {})["take"] == 2


def test_a_job_shows_its_models_and_the_choice(owner: Principal, tmp_path: Path):
    dataset_id = world.add_dataset(owner.scope, tmp_path)
    world.add_base()
    body: dict[str, Any] = {"dataset_id": dataset_id, "base_models": [world.BASE_ID], "make": list(SIZES)}
    shown = owner.client.post("/v1/jobs", json=body)
    assert shown.status_code == 201, shown.text
    job_id = shown.json()["id"]
    assert [model["spec"]["encoder_cut"] for model in shown.json()["models"]] == [0.2, 0.5, 0.5]
    assert (shown.json()["choice"], shown.json()["model_id"]) == (None, None)
    world.run_all()
    job = owner.client.get(f"/v1/jobs/{job_id}").json()
    assert job["choice"]["sentence"] == "Take the last."
    assert job["model_id"] == job["models"][2]["model_id"]
    assert len({model["model_id"] for model in job["models"]}) == 3
    last = owner.client.get(f"/v1/jobs/{job_id}/events").json()["items"][-1]
    assert "3 models are ready. Take the last." in last["message"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"base_model": world.BASE_ID}, "give base_model, or base_models for several"),
        ({"base_models": None}, "give base_model, or base_models for several"),
        ({"spec": {"decoder_cut": 0.2}}, "leave decoder_cut out of the settings"),
        ({"make": [{"encoder_cutt": 0.2}]}, "did you mean encoder_cut"),
        ({"make": []}, "make"),
        ({"make": "everything"}, "make"),
        ({"limits": {"device": "toaster"}}, "phone"),
    ],
)
def test_a_request_that_contradicts_itself_is_refused(owner: Principal, tmp_path: Path, change: dict, told: str):
    dataset_id = world.add_dataset(owner.scope, tmp_path)
    world.add_base()
    body: dict[str, Any] = {"dataset_id": dataset_id, "base_models": [world.BASE_ID], "make": [{"encoder_cut": 0.2}]}
    answer = owner.client.post("/v1/jobs", json=body | change)
    assert (answer.status_code, told in answer.text) == (422, True), answer.text


def test_an_export_is_of_one_model(job_id: str, scope: TenantScope):
    world.run_all()
    found = made(scope, job_id)
    with unit_of_work() as session:
        exports.request(session, scope, found[1].id, "dense")
    with unit_of_work() as session:
        assert [export.form for export in exports.of_model(session, scope, found[1].id)] == ["dense"]
        assert exports.of_model(session, scope, found[0].id) == []
        models.delete(session, scope, found[0].id)
    with unit_of_work() as session:
        (export,) = exports.of_model(session, scope, found[1].id)
        assert export.state == "queued", "it goes on when another model is deleted"


def test_a_deleted_model_takes_what_it_alone_stands_on(job_id: str, scope: TenantScope):
    world.run_all()
    found = made(scope, job_id)
    with unit_of_work() as session:
        models.delete(session, scope, found[0].id)
    service().eraser.erase(service().database)
    keys = {task.result_key: task.models for task in world.task_rows(job_id)}
    with unit_of_work() as session:
        kept = set(session.scalars(select(Result.key).where(Result.key.in_(keys))))
    assert {key for key, places in keys.items() if places != [0]} == kept
    with unit_of_work() as session:
        for place in (1, 2):
            models.delete(session, scope, found[place].id)
    service().eraser.erase(service().database)
    with unit_of_work() as session:
        assert not set(session.scalars(select(Result.key).where(Result.key.in_(keys))))


def test_models_are_left_out_until_the_rest_fits_a_time(owner: Principal, tmp_path: Path):
    dataset_id = world.add_dataset(owner.scope, tmp_path)
    world.add_base()
    body: dict[str, Any] = {"dataset_id": dataset_id, "base_models": [world.BASE_ID], "make": "frontier"}

    def minutes(**more: object) -> float:
        found = owner.client.post("/v1/estimates", json=body | more).json()
        assert found["problems"] == []
        return found["work"]["alone"]["likely_s"] / 60

    all_minutes = minutes()
    one = minutes(make=[{"encoder_cut": 0, "weights": "int8"}])
    assert one < all_minutes
    job = owner.client.post("/v1/jobs", json=body | {"max_minutes": (one + all_minutes) / 2})
    assert job.status_code == 201, job.text
    kept = [model["spec"]["weights"] for model in job.json()["models"]]
    assert 1 <= len(kept) < 3
    assert kept[0] == "int8", "the last sizes are left out first"
    refused = owner.client.post("/v1/jobs", json=body | {"max_minutes": one / 1000})
    assert (refused.status_code, "no model can be made in" in refused.text) == (422, True), refused.text

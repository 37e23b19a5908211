"""Other forms of a finished model: asked for once, made by a real worker loop, handed out or refused, gone with it."""

import io
import tarfile
from pathlib import Path

import pytest
from sqlalchemy import select

from adaptwin_core.domain.errors import CorruptBlob
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.states import TaskState
from adaptwin_core.ml.stages.recipe import Recipe
from adaptwin_core.ml.stages.task_result import TaskResult
from adaptwin_core.speech.corpus import Corpus
from adaptwin_core.store.tables import Model, Result, Task
from tests.integration import world
from tests.integration.conftest import Principal
from tests.service_under_test import unit_of_work
from worker import stages
from worker.context import StageContext

VERDICT = {"wer": 0.05, "checkpoint_wer": 0.05, "is_offered": True, "why": None}


def heard_well(ctx: StageContext) -> TaskResult:
    out = ctx.out / "model.bin"
    out.write_text(f"weights of {ctx.key}")
    return TaskResult({"onnx/model.bin": out}, VERDICT)


def heard_well_at_the_end(ctx: StageContext) -> TaskResult:
    return heard_well(ctx) if ctx.stage is Stage.EXPORT else world.stub_stage(ctx)


def heard_badly(ctx: StageContext) -> TaskResult:
    refused = {"is_offered": False, "why": "its word error rate is 4.0 points above the checkpoint's"}
    return TaskResult({}, VERDICT | refused)


def breaks(_: StageContext) -> TaskResult:
    raise ValueError("the runtime would not load it")


@pytest.fixture
def finished(owner: Principal, tmp_path: Path) -> tuple[str, str]:
    """A job that ran through its stages, and its model's path."""
    job_id = world.submit(owner.scope, tmp_path)
    world.run_all()
    (model,) = owner.client.get("/v1/models").json()["items"]
    assert model["job_id"] == job_id
    return job_id, f"/v1/models/{model['id']}"


def test_a_form_is_made_and_handed_out(owner: Principal, finished: tuple[str, str]):
    _, path = finished
    asked = owner.client.post(f"{path}/exports", json={"format": "ct2-int8"})
    assert (asked.status_code, asked.json()["state"]) == (202, "queued")
    for what in ("files/onnx/model.bin", "archive"):
        assert owner.client.get(f"{asked.headers['location']}/{what}").status_code == 409
    assert owner.client.post(f"{path}/links", json={"export": "ct2-int8"}).status_code == 409
    again = owner.client.post(f"{path}/exports", json={"format": "ct2-int8"})
    assert (again.status_code, len(world.queued_ids())) == (200, 1)
    world.run_all(heard_well)
    shown = owner.client.get(asked.headers["location"]).json()
    assert (shown["format"], shown["state"], shown["verdict"]) == ("ct2-int8", "ready", VERDICT)
    file = owner.client.get(f"{asked.headers['location']}/files/onnx/model.bin")
    assert file.content == b"weights of ct2-int8"
    assert shown["files"]["onnx/model.bin"]["bytes"] == len(file.content)
    assert owner.client.get(f"{asked.headers['location']}/files/other").status_code == 404
    assert owner.client.get("/v1/models").json()["items"][0]["num_downloads"] == 1
    archive = owner.client.get(f"{asked.headers['location']}/archive")
    with tarfile.open(fileobj=io.BytesIO(archive.content)) as opened:
        assert opened.getnames() == [f"{path.rsplit('/', 1)[1]}-ct2-int8/onnx/model.bin"]
    assert owner.client.get("/v1/models").json()["items"][0]["num_downloads"] == 2


def test_one_that_hears_worse_is_refused_and_says_why(owner: Principal, finished: tuple[str, str]):
    where = owner.client.post(f"{finished[1]}/exports", json={"format": "ggml-q5_0"}).headers["location"]
    world.run_all(heard_badly)
    assert owner.client.get(where).json()["state"] == "refused"
    answer = owner.client.get(f"{where}/files/onnx/model.bin")
    assert answer.status_code == 409
    assert "4.0 points above" in answer.json()["detail"]


def test_one_that_failed_can_be_asked_for_again(owner: Principal, finished: tuple[str, str]):
    job_id, path = finished
    where = owner.client.post(f"{path}/exports", json={"format": "dense"}).headers["location"]
    world.run_all(breaks)
    failed = owner.client.get(where).json()
    assert (failed["state"], failed["error"]["code"]) == ("failed", "internal")
    assert owner.client.get(f"/v1/jobs/{job_id}").json()["state"] == "succeeded", "the job is none the worse"
    assert owner.client.post(f"{path}/exports", json={"format": "dense"}).json()["state"] == "queued"
    world.run_all(heard_well)
    assert owner.client.get(where).json()["state"] == "ready"


def test_a_job_can_ask_for_its_exports_beforehand(owner: Principal, tmp_path: Path):
    from adaptwin_core.domain.spec import CompressionSpec

    spec = CompressionSpec.model_validate({"exports": ["ct2-int8", "onnx-int8", "ct2-int8"]})
    job_id = world.submit(owner.scope, tmp_path, spec=spec)
    world.run_all(heard_well_at_the_end)
    (model,) = owner.client.get("/v1/models").json()["items"]
    found = owner.client.get(f"/v1/models/{model['id']}/exports").json()["items"]
    assert [export["format"] for export in found] == ["ct2-int8", "onnx-int8"]
    stages = {stage["stage"] for stage in owner.client.get(f"/v1/jobs/{job_id}").json()["stages"]}
    assert "export" not in stages, "a job's bar ends with its model"


def test_they_go_with_their_model(owner: Principal, finished: tuple[str, str]):
    job_id, path = finished
    where = owner.client.post(f"{path}/exports", json={"format": "dense"}).headers["location"]
    world.run_all(heard_well)
    owner.client.post(f"{path}/exports", json={"format": "ct2-int8"})
    assert owner.client.delete(path).status_code == 204
    assert owner.client.get(where).status_code == 410
    assert owner.client.post(f"{path}/exports", json={"format": "dense"}).status_code == 410
    waiting = [task for task in world.task_rows(job_id, Stage.EXPORT) if task.key == "ct2-int8"]
    assert [task.state for task in waiting] == [TaskState.CANCELLED]
    with unit_of_work() as session:
        assert set(session.get_one(Model, path.rsplit("/", 1)[1]).manifest) & {"files", "exports"} == set()
        key = select(Task.result_key).where(Task.job_id == job_id, Task.key == "dense").scalar_subquery()
        assert session.scalar(select(Result).where(Result.key == key)) is None, "its bytes go with the model's"


def test_they_outlive_the_speech_they_were_heard_on(owner: Principal, finished: tuple[str, str]):
    job_id, path = finished
    where = owner.client.post(f"{path}/exports", json={"format": "dense"}).headers["location"]
    world.run_all(heard_well)
    dataset_id = owner.client.get(f"/v1/jobs/{job_id}").json()["dataset_id"]
    assert owner.client.delete(f"/v1/datasets/{dataset_id}").status_code == 204
    assert owner.client.get(where).json()["state"] == "ready"
    assert owner.client.get(f"{where}/files/onnx/model.bin").content == b"weights of dense"
    late = owner.client.post(f"{path}/exports", json={"format": "ct2-int8"}).headers["location"]
    world.run_all(heard_well)
    failed = owner.client.get(late).json()
    assert (failed["state"], failed["error"]["code"]) == ("failed", "speech_gone")


def test_a_model_deleted_while_its_export_is_made_keeps_nothing(owner: Principal, finished: tuple[str, str]):
    job_id, path = finished
    owner.client.post(f"{path}/exports", json={"format": "dense"})

    def deleted_meanwhile(ctx: StageContext) -> TaskResult:
        assert owner.client.delete(path).status_code == 204
        return heard_well(ctx)

    world.run_all(deleted_meanwhile)
    (task,) = world.task_rows(job_id, Stage.EXPORT)
    assert task.state == TaskState.CANCELLED
    assert task.result_key is None


def test_it_fetches_the_speakers_speech_and_neither_base_model_nor_general_speech(
    scope: TenantScope, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Those may be gone by then, or large."""
    (tmp_path / "others").mkdir()
    others = world.add_dataset(scope, tmp_path / "others")
    world.submit(scope, tmp_path, general_dataset_id=others, spec=CompressionSpec(exports=("dense",)))
    recipes: list[Recipe] = []
    monkeypatch.setattr(Corpus, "load", lambda folder: folder)  # the speech of these tests is one line of text
    monkeypatch.setattr(stages, "work", lambda _stage, recipe, *_: recipes.append(recipe) or TaskResult({}, VERDICT))

    def exported(ctx: StageContext) -> TaskResult:
        return stages.run_stage(ctx) if ctx.stage is Stage.EXPORT else world.stub_stage(ctx)

    world.run_all(exported)
    (recipe,) = recipes
    assert recipe.general is None
    assert recipe.speaker.name == "input-speaker"
    with pytest.raises(CorruptBlob, match="can no longer be read"):  # it is at no known place, and nothing has asked
        _ = recipe.base.folder


def test_strangers_and_unknown_forms(owner: Principal, stranger: Principal, finished: tuple[str, str]):
    path = finished[1]
    assert stranger.client.post(f"{path}/exports", json={"format": "dense"}).status_code == 404
    assert stranger.client.get(f"{path}/exports").status_code == 404
    assert owner.client.post(f"{path}/exports", json={"format": "mp3"}).status_code == 422
    assert owner.client.get(f"{path}/exports/dense").status_code == 404
    forms = owner.client.get("/v1/export-formats").json()["items"]
    assert {form["name"] for form in forms} >= {"dense", "ct2-int8", "onnx-int8", "sherpa-int8", "ggml-q5_0"}

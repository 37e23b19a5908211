"""A small world for the service's tests: ready speech, a base model, and stage bodies that cost nothing."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from adaptwin_core.domain.digest import digest_json
from adaptwin_core.domain.ids import new_id
from adaptwin_core.domain.members import Member
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.shape import ModelShape
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.states import DatasetState, TaskState
from adaptwin_core.ml.stages.task_result import TaskResult
from adaptwin_core.service import jobs
from adaptwin_core.store.tables import BaseModel, Dataset, Event, Job, Model, Result, Task
from tests.service_under_test import get_blobs, get_settings, service, unit_of_work
from worker.context import StageContext
from worker.runner import StageBody, run_task

BASE_ID = "tiny-random"
SHAPE = ModelShape(
    d_model=384,
    encoder_layers=6,
    decoder_layers=1,
    encoder_heads=6,
    decoder_heads=6,
    encoder_ffn=1536,
    decoder_ffn=1536,
    vocab_size=1000,
    num_mel_bins=80,
    max_source_positions=1500,
    max_target_positions=448,
)


def add_base() -> None:
    with unit_of_work() as session:
        if session.get(BaseModel, BASE_ID) is None:
            session.add(BaseModel(id=BASE_ID, source="folder:nowhere", digest="b" * 64, shape=SHAPE, licence=None))


CLIP_S = 10.0


def report(*, train: int = 12, valid: int = 1, test: int = 2, labelled: bool = True) -> dict[str, Any]:
    """A report of speech in clips of ten seconds, so many in each split, all with a transcript or none."""
    clips = {"train": train, "valid": valid, "test": test}
    seconds = {name: count * CLIP_S for name, count in clips.items()}
    told, untold = (
        ("labelled_seconds", "unlabelled_seconds") if labelled else ("unlabelled_seconds", "labelled_seconds")
    )
    return {
        "seconds": sum(seconds.values()),
        "clips": sum(clips.values()),
        "recordings": sum(clips.values()),
        "labelled": sum(clips.values()) * labelled,
        "labelled_train": train * labelled,
        "splits": seconds,
        "parts": {
            name: {"clips": count, "labelled": count * labelled, "silent": 0, told: seconds[name], untold: 0.0}
            for name, count in clips.items()
        },
        "rejects": [],
        "warnings": [],
        "notes": [],
    }


REPORT = report()


def add_dataset(scope: TenantScope, folder: Path, words: str = "speech", report: dict[str, Any] | None = None) -> str:
    """A ready dataset whose corpus is one small blob."""
    corpus = folder / f"{words}.json"
    corpus.write_text(json.dumps({"words": words}))
    ref = get_blobs().put(corpus, scope=scope.tenant_id)
    with unit_of_work() as session:
        dataset = Dataset(
            id=new_id("ds"),
            tenant_id=scope.tenant_id,
            name=words,
            state=DatasetState.READY,
            digest=ref.sha256,
            report_json=report or REPORT,
            files={"corpus.json": ref},
        )
        session.add(dataset)
        return dataset.id


VERDICT = {
    "outcome": "no_worse",
    "is_sure": True,
    "sentence": "No worse than the original for this speaker.",
    "difference": 0.0,
    "low": -0.01,
    "high": 0.01,
    "margin_s": None,
    "others": None,
    "advice": [],
}

# Its first stage, calibration, has several tasks at once.
STARTS_WIDE = CompressionSpec(personal_steps=0)


def submit(scope: TenantScope, folder: Path, **changes: object) -> str:
    """Submit a job of one model, or of `members`, on a new dataset or `dataset_id`. Return its id."""
    add_base()
    member = Member(base_model=str(changes.pop("base_model", BASE_ID)), spec=changes.pop("spec", CompressionSpec()))
    request: dict[str, object] = {
        "members": [member],
        "general_dataset_id": None,
        "name": None,
        "max_unfinished": get_settings().max_running_jobs,
        "num_shards": get_settings().calibration_shards,
    } | changes
    request.setdefault("dataset_id", None)
    request["dataset_id"] = request["dataset_id"] or add_dataset(scope, folder)
    with unit_of_work() as session:
        job, _ = jobs.submit(session, scope, **request)  # type: ignore[arg-type]
        return job.id


def choice_of(num_models: int) -> dict[str, object]:
    """Return what `choose` would find: the last model is the one to take."""
    size: dict[str, object] = {"encoder_cut": 0.35, "decoder_cut": 0.0, "weights": "int8", "weights_bytes": 39_000_000}
    heard: dict[str, object] = {"ms": 80.0, "measured_ms": 80.0, "margin_s": 0.5, "chosen_by": None, "speech": {}}
    of = {"base_model": BASE_ID, "is_on_frontier": True}
    models = [{"name": f"model {place}"} | size | heard | of for place in range(num_models)]
    return {"take": num_models - 1, "sentence": "Take the last.", "limits": {}, "models": models}


def stub_stage(ctx: StageContext) -> TaskResult:
    """Files that name everything the stage could see, so that equal outputs mean equal inputs."""
    seen = {
        "stage": ctx.stage,
        "key": str(ctx.key),
        "specs": [piece.spec.model_dump(mode="json") for piece in ctx.task.pieces],
        "speaker": (ctx.speaker / "corpus.json").read_text(),
        "inputs": [
            {
                stage: {
                    str(key): {name: path.read_text() for name, path in made.files.items()}
                    for key, made in results.items()
                }
                for stage, results in earlier.items()
            }
            for earlier in ctx.results
        ],
    }
    ctx.progress(1, 1)
    out = ctx.out / "out.txt"
    out.write_text(digest_json(seen))
    if ctx.stage is Stage.CHOOSE:
        return TaskResult({"out.txt": out}, choice_of(len(ctx.task.pieces)))
    if ctx.stage is not Stage.PUBLISH:
        return TaskResult({"out.txt": out}, {"seen": digest_json(seen)})
    return TaskResult({"model.safetensors": out}, {"wer": 0.1, "verdict": VERDICT})


def job_row(job_id: str) -> Job:
    with unit_of_work() as session:
        return session.get_one(Job, job_id)


def task_rows(job_id: str, stage: str | None = None) -> list[Task]:
    with unit_of_work() as session:
        query = select(Task).where(Task.job_id == job_id).order_by(Task.created_at, Task.id)
        return list(session.scalars(query.where(Task.stage == stage) if stage else query))


def queued_ids() -> list[str]:
    with unit_of_work() as session:
        return list(session.scalars(select(Task.id).where(Task.state == TaskState.QUEUED)))


def run_all(body: StageBody = stub_stage) -> None:
    """Work until nothing is queued."""
    while ids := queued_ids():
        for task_id in ids:
            run_task(service(), task_id, lambda: body)


def num_events(job_id: str) -> Counter[tuple[str, str | None, str | None]]:
    """How often each (kind, stage, task) was told."""
    with unit_of_work() as session:
        rows = session.scalars(select(Event).where(Event.job_id == job_id)).all()
    return Counter((row.kind, row.data.get("stage"), row.data.get("task")) for row in rows)


def last_event(job_id: str) -> Event:
    with unit_of_work() as session:
        return session.scalars(select(Event).where(Event.job_id == job_id).order_by(Event.id.desc()).limit(1)).one()


def model_of(job_id: str) -> Model:
    with unit_of_work() as session:
        return session.scalars(select(Model).where(Model.job_id == job_id)).one()


def result_files(job_id: str) -> dict[str, object]:
    """What each task of a job made, by content."""
    with unit_of_work() as session:
        rows = session.execute(
            select(Task.stage, Task.key, Result.files)
            .join(Result, Result.key == Task.result_key)
            .where(Task.job_id == job_id)
        )
        return {f"{stage} {key}": files for stage, key, files in rows}


def let_leases_run_out() -> None:
    """Make every running task's worker look silent."""
    with unit_of_work() as session:
        session.execute(update(Task).where(Task.state == TaskState.RUNNING).values(lease_until=Task.created_at))


def far_future() -> datetime:
    return datetime(2100, 1, 1, tzinfo=UTC)

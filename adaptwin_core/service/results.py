"""What a task works on, and the name of what it makes: SHA-256 over every input. Equal inputs are worked on once."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from adaptwin_core.domain.digest import digest_json
from adaptwin_core.domain.errors import Conflict
from adaptwin_core.domain.plan import ModelShape
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.stage_spec import CODE_VERSION, stage_spec
from adaptwin_core.domain.states import JOB_STAGES, Stage
from adaptwin_core.store.blobs import Files
from adaptwin_core.store.tables import BaseModel, Dataset, Job, Result, Task


@dataclass(frozen=True)
class Base:
    """The uncompressed model a job starts from."""

    id: str
    source: str
    digest: str
    shape: ModelShape
    licence: str | None


@dataclass(frozen=True)
class Made:
    """What a finished task left."""

    files: Files
    info: dict[str, Any]


@dataclass(frozen=True)
class TaskInputs:
    """Everything a task of a job may read; `result_key` names it all."""

    stage: Stage
    key: str
    tenant_id: str
    spec: CompressionSpec
    base: Base
    speaker: Files
    general: Files | None
    upstream: dict[Stage, dict[str, Made]]
    result_key: str


def upstream_of(stage: Stage, key: str) -> tuple[Stage, ...]:
    """Return the stages whose results a task may read."""
    if stage is Stage.EVALUATE:
        return () if key.startswith("base:") else (Stage.TUNE,)
    if stage is Stage.EXPORT:
        return (Stage.EVALUATE, Stage.PUBLISH)
    return JOB_STAGES[: JOB_STAGES.index(stage)]


def inputs_of(session: Session, task: Task) -> TaskInputs:
    """Return what a task of a job works on.

    Raises:
        Conflict: the speech was deleted since.
    """
    stage = Stage(task.stage)
    job = session.get_one(Job, task.job_id)
    base = session.get_one(BaseModel, job.base_model_id)
    speaker = _corpus(session, job.dataset_id)
    general = _corpus(session, job.general_dataset_id) if job.general_dataset_id is not None else None
    spec = stage_spec(stage, task.key, job.spec)
    upstream = {earlier: _made_by(session, job.id, earlier) for earlier in upstream_of(stage, task.key)}
    named = {
        "version": CODE_VERSION,
        "tenant": job.tenant_id,
        "stage": stage,
        "key": task.key,
        "base": base.digest,
        "spec": spec.digest(),
        "speaker": speaker.digest,
        "general": general.digest if general is not None else None,
        "upstream": {
            earlier: {key: {name: file.sha256 for name, file in made.files.items()} for key, made in results.items()}
            for earlier, results in upstream.items()
        },
    }
    if stage is Stage.PUBLISH:  # its report tells what was refused, too, which the digest of the speech leaves out
        named["told"] = [speaker.report_json, general.report_json if general is not None else None]
    return TaskInputs(
        stage=stage,
        key=task.key,
        tenant_id=job.tenant_id,
        spec=spec,
        base=Base(base.id, base.source, base.digest, base.shape, base.licence),
        speaker=speaker.files or {},
        general=general.files if general is not None else None,
        upstream=upstream,
        result_key=digest_json(named),
    )


def find(session: Session, key: str) -> Made | None:
    """Return what equal inputs have already made."""
    result = session.get(Result, key, populate_existing=True)
    return Made(result.files, result.info) if result is not None else None


def add(session: Session, key: str, *, tenant_id: str, made: Made) -> None:
    """Record a result; one that is there already stays."""
    row = {"key": key, "tenant_id": tenant_id, "files": made.files, "info": made.info}
    session.execute(insert(Result).values(row).on_conflict_do_nothing())


def forget(session: Session, key: str) -> None:
    """Drop a result whose files are damaged, so that the work is done again."""
    session.execute(delete(Result).where(Result.key == key))


def _corpus(session: Session, dataset_id: str) -> Dataset:
    dataset = session.get_one(Dataset, dataset_id)
    if dataset.digest is None or dataset.files is None or dataset.deleted_at is not None:
        raise Conflict(
            "the speech this job works on was deleted; submit a job on speech that is there", code="speech_gone"
        )
    return dataset


def _made_by(session: Session, job_id: str, stage: Stage) -> dict[str, Made]:
    rows = session.execute(
        select(Task.key, Result.files, Result.info)
        .join(Result, Result.key == Task.result_key)
        .where(Task.job_id == job_id, Task.stage == stage)
        .order_by(Task.created_at, Task.id)
    )
    return {key: Made(files, info) for key, files, info in rows}

"""What a task works on, and what equal inputs have already made."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from adaptwin_core.domain.errors import Conflict
from adaptwin_core.domain.result_name import SpeechFacts, result_name
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.shape import ModelShape
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.stage_table import row_of
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.task_keys import TaskKey
from adaptwin_core.store.blobs import Files
from adaptwin_core.store.queries import results as queries
from adaptwin_core.store.tables import BaseModel, Dataset, Job, Task


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
    """Everything that a task of a job may read, and the name of what it makes of that."""

    stage: Stage
    key: TaskKey
    tenant_id: str
    spec: CompressionSpec  # as this task may see it
    base: Base
    speaker: Files
    general: Files | None
    earlier: dict[Stage, dict[TaskKey, Made]]  # of the stages that it may read
    result_key: str


def inputs_of(session: Session, task: Task) -> TaskInputs:
    """Return what a task of a job works on.

    Raises:
        Conflict: the speech was deleted since.
    """
    row = row_of(Stage(task.stage))
    key = row.key.parse(task.key)
    job = session.get_one(Job, task.job_id)
    base = session.get_one(BaseModel, job.base_model_id)
    speaker = _corpus(session, job.dataset_id)
    general = _corpus(session, job.general_dataset_id) if job.general_dataset_id is not None else None
    spec = row.sees(job.spec, key)
    earlier = {stage: _made_by(session, job, stage) for stage in row.reads(key)}
    return TaskInputs(
        stage=row.stage,
        key=key,
        tenant_id=job.tenant_id,
        spec=spec,
        base=Base(base.id, base.source, base.digest, base.shape, base.licence),
        speaker=speaker.files or {},
        general=general.files if general is not None else None,
        earlier=earlier,
        result_key=result_name(
            row.stage,
            key,
            spec,
            base=base.digest,
            speaker=_facts(speaker),
            general=_facts(general) if general is not None else None,
            earlier={
                stage: {of: {name: file.sha256 for name, file in made.files.items()} for of, made in results.items()}
                for stage, results in earlier.items()
            },
            tenant=job.tenant_id,
        ),
    )


def find(session: Session, scope: TenantScope, key: str) -> Made | None:
    """Return what equal inputs have already made."""
    result = queries.find(session, scope, key)
    return Made(result.files, result.info) if result is not None else None


def add(session: Session, scope: TenantScope, key: str, made: Made) -> None:
    """Record a result; one that is there already stays."""
    queries.add(session, scope, key, files=made.files, info=made.info)


def forget(session: Session, scope: TenantScope, key: str) -> None:
    """Drop a result whose files are damaged, so that the work is done again."""
    queries.forget(session, scope, key)


def _corpus(session: Session, dataset_id: str) -> Dataset:
    dataset = session.get_one(Dataset, dataset_id)
    if dataset.digest is None or dataset.files is None or dataset.deleted_at is not None:
        raise Conflict(
            "the speech this job works on was deleted; submit a job on speech that is there", code="speech_gone"
        )
    return dataset


def _facts(dataset: Dataset) -> SpeechFacts:
    assert dataset.digest is not None  # `_corpus` has seen to it
    assert dataset.report_json is not None
    return SpeechFacts(dataset.digest, dataset.report_json)


def _made_by(session: Session, job: Job, stage: Stage) -> dict[TaskKey, Made]:
    parse = row_of(stage).key.parse
    found = queries.of_stage(session, TenantScope(job.tenant_id), job.id, stage)
    return {parse(key): Made(files, info) for key, files, info in found}

"""What a task works on, and what equal inputs have already made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from adaptwin_core.domain.errors import Conflict
from adaptwin_core.domain.model_limits import ModelLimits
from adaptwin_core.domain.result_name import Ingredients, SpeechFacts, result_name
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.shape import ModelShape
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.stage_table import row_of
from adaptwin_core.domain.stages import Row, Stage
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
class Piece:
    """What one model of a job brings to a task."""

    base: Base
    spec: CompressionSpec  # as the task may see it
    earlier: dict[Stage, dict[TaskKey, Made]]  # of the stages that the task may read


@dataclass(frozen=True)
class TaskInputs:
    """Everything that a task of a job may read, and the name of what it makes of that.

    Attributes:
        pieces: of the model that the task is for, or of all models of the job.
        limits: what the model to take must fit.
    """

    stage: Stage
    key: TaskKey
    tenant_id: str
    pieces: tuple[Piece, ...]
    limits: ModelLimits
    speaker: Files
    general: Files | None
    result_key: str


class JobInputs:
    """Finds what the tasks of one job work on. What several of them read is looked up once.

    Raises:
        Conflict: the speech was deleted since.
    """

    def __init__(self, session: Session, job: Job) -> None:
        self._session, self._job = session, job
        self._speaker = _corpus(session, job.dataset_id)
        self._general = _corpus(session, job.general_dataset_id) if job.general_dataset_id is not None else None
        self._made: dict[tuple[Stage, int], dict[TaskKey, Made]] = {}

    def of(self, row: Row, key: TaskKey, places: Sequence[int]) -> TaskInputs:
        """Return what one task works on.

        Args:
            places: the models that share its result. They are alike to it, unless it is for all models of the job.
        """
        pieces = tuple(self._piece(row, key, place) for place in (places if row.of_family else places[:1]))
        return TaskInputs(
            stage=row.stage,
            key=key,
            tenant_id=self._job.tenant_id,
            pieces=pieces,
            limits=self._job.limits,
            speaker=self._speaker.files or {},
            general=self._general.files if self._general is not None else None,
            result_key=result_name(
                row.stage,
                key,
                [Ingredients(piece.base.digest, piece.spec, _digests(piece.earlier)) for piece in pieces],
                limits=self._job.limits,
                speaker=_facts(self._speaker),
                general=_facts(self._general) if self._general is not None else None,
                tenant=self._job.tenant_id,
            ),
        )

    def _piece(self, row: Row, key: TaskKey, place: int) -> Piece:
        member = self._job.members[place]
        base = self._session.get_one(BaseModel, member.base_model_id)
        return Piece(
            Base(base.id, base.source, base.digest, base.shape, base.licence),
            row.sees(member.spec, key),
            {stage: self._made_by(stage, place) for stage in row.reads(key)},
        )

    def _made_by(self, stage: Stage, place: int) -> dict[TaskKey, Made]:
        if (stage, place) not in self._made:
            self._made[stage, place] = made_by(self._session, self._job, stage, place)
        return self._made[stage, place]


def inputs_of(session: Session, task: Task) -> TaskInputs:
    """Return what a task of a job works on.

    Raises:
        Conflict: the speech was deleted since.
    """
    row = row_of(Stage(task.stage))
    return JobInputs(session, session.get_one(Job, task.job_id)).of(row, row.key.parse(task.key), task.models)


def made_by(session: Session, job: Job, stage: Stage, place: int) -> dict[TaskKey, Made]:
    """Return what the finished tasks of a stage made for one model of a job."""
    parse = row_of(stage).key.parse
    found = queries.of_stage(session, TenantScope(job.tenant_id), job.id, stage, place=place)
    return {parse(key): Made(files, info) for key, files, info in found}


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


def _digests(earlier: Mapping[Stage, Mapping[TaskKey, Made]]) -> dict[Stage, dict[TaskKey, dict[str, str]]]:
    return {
        stage: {of: {name: file.sha256 for name, file in made.files.items()} for of, made in results.items()}
        for stage, results in earlier.items()
    }

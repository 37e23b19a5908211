"""What a job would be, before it is submitted: its models, its time, what it takes, and what is wrong with it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from sqlalchemy.orm import Session

from adaptwin_core.domain import footprint, languages, submission
from adaptwin_core.domain.admission import Remark, remarks_on
from adaptwin_core.domain.dataset_report import DatasetReport
from adaptwin_core.domain.errors import AdaptwinError, InvalidInput, InvalidSpec
from adaptwin_core.domain.estimate import Paces, Span, beside, span_of
from adaptwin_core.domain.pieces import Piece, Place, pieces_of
from adaptwin_core.domain.planned_model import PlannedModel, planned_model
from adaptwin_core.domain.result_name import SpeechFacts
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.stage_table import JOB_STAGES
from adaptwin_core.domain.stages import Outline, Stage
from adaptwin_core.domain.task_keys import ModelKey
from adaptwin_core.domain.work import Heard, JobWork
from adaptwin_core.service import base_models, jobs, kept_results, outlook, readiness, work_times
from adaptwin_core.store.queries import datasets
from adaptwin_core.store.tables import BaseModel, Dataset


@dataclass(frozen=True)
class Asked:
    """A request for a job, as `jobs.submit` takes it."""

    dataset_id: str
    general_dataset_id: str | None
    base_model_id: str
    spec: CompressionSpec
    accept_little: bool


@dataclass(frozen=True)
class StageTime:
    """The time of a stage, without the tasks whose results are kept from earlier jobs."""

    stage: Stage
    num_tasks: int
    num_kept: int
    time: Span


@dataclass(frozen=True)
class Work:
    """What a job that may begin takes.

    Attributes:
        alone: its time on workers that do nothing else.
        time: its time beside the jobs that wait or run now.
        memory_bytes: of the task that needs most.
    """

    alone: Span
    time: Span
    stages: Sequence[StageTime]
    memory_bytes: int
    disk_bytes: int


@dataclass(frozen=True)
class Estimate:
    """Attributes:
    problems: what submitting would refuse.
    models: by the names of their base models.
    work: None where a problem leaves nothing to estimate.
    num_workers: that are there now.
    is_measured: whether the time follows from tasks of this installation.
    """

    problems: Sequence[AdaptwinError]
    remarks: Sequence[Remark]
    models: Mapping[str, PlannedModel]
    work: Work | None
    num_workers: int
    is_measured: bool


def make(session: Session, scope: TenantScope, asked: Asked, *, max_unfinished: int, num_shards: int) -> Estimate:
    """Return what a job would be, and everything that submitting it would refuse.

    Args:
        max_unfinished: how many jobs a tenant may have that have not ended.
        num_shards: into how many tasks calibration is split.
    """
    problems: list[AdaptwinError] = []
    paces, num_workers = work_times.paces(session), work_times.num_workers(session)
    nothing = Estimate(problems, [], {}, None, num_workers, paces.is_measured)
    base, speaker, general = _named(session, scope, asked, problems)
    with _listed(problems):
        jobs.require_room(session, scope, max_unfinished)
    if base is None or speaker is None or (general is None and asked.general_dataset_id is not None):
        return nothing
    reports = _report(speaker), None if general is None else _report(general)
    problems += submission.refusals(asked.spec, base.shape, *reports, accept_little=asked.accept_little)
    remarks = remarks_on(*reports, asked.spec)
    outline = Outline(submission.settled(asked.spec, *reports), base.shape, general is not None, num_shards)
    with suppress(InvalidSpec):  # it is among the problems already
        kept = kept_results.of_outline(
            session,
            scope,
            outline,
            base_digest=base.digest,
            speaker=_facts(speaker),
            general=None if general is None else _facts(general),
        )
        chosen = kept[Stage.VOCABULARY].get(ModelKey())
        model = planned_model(outline.spec, base.shape, num_kept=chosen.info["kept"] if chosen is not None else None)
        heard = Heard.of(reports[0]), None if reports[1] is None else Heard.of(reports[1])
        made = {Place(0, stage, str(key)) for stage, found in kept.items() for key in found}
        others = outlook.spans_of_others(session, None, paces, max(1, num_workers), num_shards=num_shards)
        work = _work(JobWork(outline, base.digest, *heard), made, paces, others, max(1, num_workers))
        return Estimate(problems, remarks, {base.id: model}, work, num_workers, paces.is_measured)
    return nothing


def _work(job: JobWork, made: set[Place], paces: Paces, others: Sequence[Span], num_workers: int) -> Work:
    pieces = pieces_of(job)

    def is_kept(piece: Piece) -> bool:
        return not made.isdisjoint(piece.places)

    def time_of(some: Sequence[Piece]) -> Span:
        return span_of(((piece.stage, piece.seconds) for piece in some if not is_kept(piece)), paces, num_workers)

    stages = []
    for stage in JOB_STAGES:
        of_stage = [piece for piece in pieces if piece.stage is stage]
        if of_stage:
            stages.append(StageTime(stage, len(of_stage), sum(map(is_kept, of_stage)), time_of(of_stage)))
    alone = time_of(pieces)
    return Work(
        alone, beside(alone, others, num_workers), stages, footprint.memory_bytes(job), footprint.disk_bytes(job)
    )


def _named(
    session: Session, scope: TenantScope, asked: Asked, problems: list[AdaptwinError]
) -> tuple[BaseModel | None, Dataset | None, Dataset | None]:
    """Return what the request names: base model, speech of the speaker and of others, as far as it is there."""
    base: BaseModel | None = None
    with _listed(problems):
        base = base_models.get(session, asked.base_model_id)
        languages.require(asked.spec.language, base.languages, base.id)
    if asked.general_dataset_id == asked.dataset_id:
        problems.append(InvalidInput("the general speech must be other people's: give another dataset, or none"))
    speaker, general = (
        None if dataset_id is None else _speech(session, scope, dataset_id, problems)
        for dataset_id in (asked.dataset_id, asked.general_dataset_id)
    )
    return base, speaker, general


def _speech(session: Session, scope: TenantScope, dataset_id: str, problems: list[AdaptwinError]) -> Dataset | None:
    with _listed(problems):
        dataset = datasets.get(session, scope, dataset_id)
        readiness.require_ready(dataset)
        return dataset
    return None


@contextmanager
def _listed(problems: list[AdaptwinError]) -> Iterator[None]:
    try:
        yield
    except AdaptwinError as refusal:
        problems.append(refusal)


def _report(dataset: Dataset) -> DatasetReport:
    assert dataset.report is not None, "it is ready"
    return dataset.report


def _facts(dataset: Dataset) -> SpeechFacts:
    assert dataset.digest is not None, "it is ready"
    assert dataset.report_json is not None
    return SpeechFacts(dataset.digest, dataset.report_json)

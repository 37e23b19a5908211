"""What a job would be, before it is submitted: its models, its time, what it takes, and what is wrong with it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from sqlalchemy.orm import Session

from adaptwin_core.domain import footprint, languages, submission
from adaptwin_core.domain.admission import Remark, remarks_on
from adaptwin_core.domain.chores import Chore, Place, chores_of
from adaptwin_core.domain.dataset_report import DatasetReport
from adaptwin_core.domain.errors import AdaptwinError, InvalidInput, InvalidSpec
from adaptwin_core.domain.estimate import Paces, Span, beside, span_of
from adaptwin_core.domain.members import Member
from adaptwin_core.domain.model_limits import ModelLimits
from adaptwin_core.domain.planned_model import PlannedModel, planned_model
from adaptwin_core.domain.result_name import SpeechFacts
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.stage_table import JOB_STAGES
from adaptwin_core.domain.stages import Outline, Stage
from adaptwin_core.domain.task_keys import ModelKey
from adaptwin_core.domain.work import Heard, JobWork
from adaptwin_core.service import base_models, kept_results, outlook, quotas, readiness, work_times
from adaptwin_core.service.kept_results import Kept
from adaptwin_core.store.queries import datasets
from adaptwin_core.store.tables import BaseModel, Dataset


@dataclass(frozen=True)
class Asked:
    """A request for a job, as `jobs.submit` takes it."""

    dataset_id: str
    general_dataset_id: str | None
    members: Sequence[Member]
    limits: ModelLimits
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
    models: with the names of their base models, in the order in which they were asked for.
    work: None where a problem leaves nothing to estimate.
    num_workers: that are there now.
    is_measured: whether the time follows from tasks of this installation.
    """

    problems: Sequence[AdaptwinError]
    remarks: Sequence[Remark]
    models: Sequence[tuple[str, PlannedModel]]
    work: Work | None
    num_workers: int
    is_measured: bool


def make(
    session: Session, scope: TenantScope, asked: Asked, *, max_unfinished: int | None = None, num_shards: int
) -> Estimate:
    """Return what a job would be, and everything that submitting it would refuse.

    Args:
        max_unfinished: how many jobs a tenant may have that have not ended; None where that is settled.
        num_shards: into how many tasks calibration is split.
    """
    problems: list[AdaptwinError] = []
    if max_unfinished is not None:
        with _listed(problems):
            quotas.require_job_room(session, scope, max_unfinished)
    speaker, general = _speech(session, scope, asked, problems)
    models = _models(session, asked, speaker, general, problems, num_shards=num_shards)
    problems = list({(problem.code, problem.message): problem for problem in problems}.values())
    paces, num_workers = work_times.paces(session), work_times.num_workers(session)
    remarks = [remark for model in models for remark in model.remarks]
    planned, work = [], None
    if speaker is not None and len(models) == len(asked.members):
        kept = [_kept(session, scope, model, speaker, general) for model in models]
        with suppress(InvalidSpec):  # it is among the problems already
            planned = [(model.base.id, _planned(model, found)) for model, found in zip(models, kept, strict=True)]
            made = {
                Place(place, stage, str(key))
                for place, found in enumerate(kept)
                for stage, results in found.items()
                for key in results
            }
            heard = _heard(speaker), None if general is None else _heard(general)
            others = outlook.spans_of_others(session, None, paces, max(1, num_workers), num_shards=num_shards)
            of_job = [JobWork(model.outline, model.base.id, *heard) for model in models]
            work = _work(of_job, made, paces, others, max(1, num_workers))
    return Estimate(problems, list(dict.fromkeys(remarks)), planned, work, num_workers, paces.is_measured)


@dataclass(frozen=True)
class _Model:
    """One model of the request, whose base model and speech are there."""

    base: BaseModel
    outline: Outline
    remarks: Sequence[Remark]


def _models(
    session: Session,
    asked: Asked,
    speaker: Dataset | None,
    general: Dataset | None,
    problems: list[AdaptwinError],
    *,
    num_shards: int,
) -> list[_Model]:
    """Return the models as far as what they are made of is there, and list what is wrong with each."""
    found = []
    is_chosen = len(asked.members) > 1 or asked.limits.are_any
    is_general_there = general is not None or asked.general_dataset_id is None
    for member in asked.members:
        with _listed(problems):
            base = base_models.get(session, member.base_model)
            with _listed(problems):
                languages.require(member.spec.language, base.languages, base.id)
            spec = member.spec_for(base.shape, asked.limits)
            if speaker is not None and is_general_there:
                reports = _report(speaker), None if general is None else _report(general)
                problems += submission.refusals(spec, base.shape, *reports, accept_little=asked.accept_little)
                settled = submission.settled(spec, *reports)
                outline = Outline(settled, base.shape, general is not None, num_shards, is_chosen)
                found.append(_Model(base, outline, remarks_on(*reports, spec)))
    return found


def _kept(session: Session, scope: TenantScope, model: _Model, speaker: Dataset, general: Dataset | None) -> Kept:
    facts = _facts(speaker), None if general is None else _facts(general)
    with suppress(InvalidSpec):  # it is among the problems already
        return kept_results.of_outline(
            session, scope, model.outline, base_digest=model.base.digest, speaker=facts[0], general=facts[1]
        )
    return {}


def _planned(model: _Model, kept: Kept) -> PlannedModel:
    chosen = kept.get(Stage.VOCABULARY, {}).get(ModelKey())
    num_kept = chosen.info["kept"] if chosen is not None else None
    return planned_model(model.outline.spec, model.base.shape, num_kept=num_kept)


def _work(models: Sequence[JobWork], made: set[Place], paces: Paces, others: Sequence[Span], num_workers: int) -> Work:
    chores = chores_of(*models)

    def is_kept(chore: Chore) -> bool:
        return not made.isdisjoint(chore.places)

    def time_of(some: Sequence[Chore]) -> Span:
        return span_of(((chore.stage, chore.seconds) for chore in some if not is_kept(chore)), paces, num_workers)

    stages = []
    for stage in JOB_STAGES:
        of_stage = [chore for chore in chores if chore.stage is stage]
        if of_stage:
            stages.append(StageTime(stage, len(of_stage), sum(map(is_kept, of_stage)), time_of(of_stage)))
    alone = time_of(chores)
    memory, disk = max(map(footprint.memory_bytes, models)), sum(map(footprint.disk_bytes, models))
    return Work(alone, beside(alone, others, num_workers), stages, memory, disk)


def _speech(
    session: Session, scope: TenantScope, asked: Asked, problems: list[AdaptwinError]
) -> tuple[Dataset | None, Dataset | None]:
    """Return the speech of the speaker and of others, as far as it is there and ready."""
    if asked.general_dataset_id == asked.dataset_id:
        problems.append(InvalidInput("the general speech must be other people's: give another dataset, or none"))
    speaker, general = (
        None if dataset_id is None else _dataset(session, scope, dataset_id, problems)
        for dataset_id in (asked.dataset_id, asked.general_dataset_id)
    )
    return speaker, general


def _dataset(session: Session, scope: TenantScope, dataset_id: str, problems: list[AdaptwinError]) -> Dataset | None:
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


def _heard(dataset: Dataset) -> Heard:
    return Heard.of(_report(dataset))


def _facts(dataset: Dataset) -> SpeechFacts:
    assert dataset.digest is not None, "it is ready"
    assert dataset.report_json is not None
    return SpeechFacts(dataset.digest, dataset.report_json)

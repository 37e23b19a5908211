"""What the time of a job depends on: the work of its models, how fast workers have been, and how many there are."""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from adaptwin_core.domain.dataset_report import DatasetReport
from adaptwin_core.domain.estimate import Paces, task_seconds
from adaptwin_core.domain.stage_table import JOB_STAGES, row_of
from adaptwin_core.domain.stages import Queue, Stage
from adaptwin_core.domain.work import Heard, JobWork
from adaptwin_core.service import pipeline
from adaptwin_core.store.queries import queue, workers
from adaptwin_core.store.queries import work_times as queries
from adaptwin_core.store.queries.queue import LONG, JobFacts
from adaptwin_core.store.tables import Job

SEEN_EVERY_S: Final = 20.0  # each worker says that it is there
SEEN_WITHIN: Final = timedelta(seconds=3 * SEEN_EVERY_S)
NUM_RECENT: Final = 30  # tasks of each stage
LEAST_EXPECTED_S: Final = 2.0  # shorter tasks say more of their start than of the rate


def models_of(session: Session, facts: JobFacts, *, num_shards: int) -> tuple[JobWork, ...]:
    """Return the work of each model of a job."""
    speaker, general = _heard(facts.speaker), _heard(facts.general) if facts.general is not None else None
    outlines = pipeline.outlines_of(session, facts.job, num_shards=num_shards)
    return tuple(
        JobWork(outline, member.base_model_id, speaker, general)
        for outline, member in zip(outlines, facts.job.members, strict=True)
    )


def expected_s(session: Session, job: Job, stage: Stage, key: str, place: int, *, num_shards: int) -> float:
    """Return how long a task of a job takes by the rates that are not corrected by what was measured.

    Args:
        place: of a model that it is for.
    """
    model = models_of(session, queue.facts_of(session, job.id), num_shards=num_shards)[place]
    return task_seconds(stage, model.of(stage, row_of(stage).key.parse(key)))


def paces(session: Session) -> Paces:
    """Return what the tasks of all tenants took lately, beside what they were expected to take."""
    ratios: dict[Stage, list[float]] = {}
    for stage, worked, expected in queries.recent(session, JOB_STAGES, num_each=NUM_RECENT, least_s=LEAST_EXPECTED_S):
        ratios.setdefault(stage, []).append(worked / expected)
    return Paces.measured(ratios)


def num_workers(session: Session) -> int:
    """Count the processes that do the tasks of jobs now."""
    return workers.num_seen(session, Queue.MODEL, within=SEEN_WITHIN)


def _heard(figures: dict[str, Any]) -> Heard:
    return Heard.of(DatasetReport.model_validate(figures | {name: [] for name in LONG}))

"""What is ahead of a job: its place in the queue, and the time that is left."""

import logging
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from pydantic import ValidationError
from sqlalchemy.orm import Session

from adaptwin_core.domain.chores import Chore, Place, chores_of
from adaptwin_core.domain.errors import InvalidSpec
from adaptwin_core.domain.estimate import Paces, Span, beside, span_of
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.stage_table import TABLE
from adaptwin_core.domain.stages import Queue, Stage
from adaptwin_core.domain.states import TERMINAL_JOB_STATES, JobState, TaskState
from adaptwin_core.service import work_times
from adaptwin_core.store.queries import owned, queue
from adaptwin_core.store.queries.queue import JobFacts
from adaptwin_core.store.tables import Job, Task

log = logging.getLogger(__name__)

MOST_OTHERS: Final = 100  # jobs before and beside one that are counted
NEARLY_DONE: Final = 0.95  # a running task is never taken to be done
STAGES: Final = tuple(row.stage for row in TABLE if row.queue is Queue.MODEL)


@dataclass(frozen=True)
class Outlook:
    """Attributes:
    queue_position: 1 where a worker takes the job's next task first. None where none of its tasks waits.
    time_left: None where the job has ended.
    """

    queue_position: int | None
    time_left: Span | None


def of_job(session: Session, scope: TenantScope, job_id: str, *, num_shards: int) -> Outlook:
    """Return what is ahead of a job. The time of a paused one counts from when it is resumed. Raises NotFound."""
    job = owned.get(session, scope, Job, job_id)
    if job.state in TERMINAL_JOB_STATES:
        return Outlook(None, None)
    num_workers = max(1, work_times.num_workers(session))
    paces = work_times.paces(session)
    own = _left(session, [queue.facts_of(session, job.id)], paces, num_workers, num_shards=num_shards)[0]
    if job.state == JobState.PAUSED:
        return Outlook(None, own)
    others = spans_of_others(session, job, paces, num_workers, num_shards=num_shards)
    ahead = queue.num_ahead(session, job.id, STAGES)
    return Outlook(None if ahead is None else ahead + 1, beside(own, others, num_workers))


def spans_of_others(
    session: Session, job: Job | None, paces: Paces, num_workers: int, *, num_shards: int
) -> list[Span]:
    """Return what is left of every job that waits or runs, but for one."""
    others = [facts for facts in queue.active(session, limit=MOST_OTHERS) if job is None or facts.job.id != job.id]
    known = [facts for facts in others if _is_known(session, facts, num_shards=num_shards)]
    return _left(session, known, paces, num_workers, num_shards=num_shards)


def seconds_left(chores: Iterable[Chore], shares: dict[Place, float]) -> Iterator[tuple[Stage, float]]:
    """Yield the stage, and the seconds by the rates, of each chore that is not done.

    Args:
        shares: how much is done of each task that there is.
    """
    for chore in chores:
        share = max(shares.get(place, 0.0) for place in chore.places)
        if share < 1:
            yield chore.stage, (1 - share) * chore.seconds


def _left(
    session: Session, jobs_of: Collection[JobFacts], paces: Paces, num_workers: int, *, num_shards: int
) -> list[Span]:
    shares: dict[str, dict[Place, float]] = {facts.job.id: {} for facts in jobs_of}
    chores = {
        facts.job.id: chores_of(*work_times.models_of(session, facts, num_shards=num_shards)) for facts in jobs_of
    }
    seconds = {
        (job_id, place): chore.seconds * paces.of(chore.stage).likely
        for job_id, found in chores.items()
        for chore in found
        for place in chore.places
    }
    for task in queue.tasks_of(session, shares):
        assert task.job_id is not None
        for model in task.models:
            place = Place(model, Stage(task.stage), task.key)
            shares[task.job_id][place] = _share(task, seconds.get((task.job_id, place), 1.0))
    return [span_of(seconds_left(found, shares[job_id]), paces, num_workers) for job_id, found in chores.items()]


def _is_known(session: Session, facts: JobFacts, *, num_shards: int) -> bool:
    """Tell whether this version can read a job. One that it cannot read must not hide the time of all others."""
    try:
        chores_of(*work_times.models_of(session, facts, num_shards=num_shards))
    except (ValidationError, InvalidSpec) as fault:
        log.warning("how long job %s takes cannot be told: %s", facts.job.id, fault)
        return False
    return True


def _share(task: Task, likely_s: float) -> float:
    """Return how much of a task is done: by its own progress or, where it tells none, by the time since its start."""
    if task.state == TaskState.DONE:
        return 1.0
    if task.state != TaskState.RUNNING:
        return 0.0
    told = task.progress or {}
    if told.get("total"):
        return min(NEARLY_DONE, float(told["step"] / told["total"]))
    since_s = (datetime.now(UTC) - task.started_at).total_seconds() if task.started_at is not None else 0.0
    return min(NEARLY_DONE, since_s / likely_s)

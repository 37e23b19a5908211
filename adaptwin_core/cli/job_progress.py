"""How far a job of the service is, as one share of the whole."""

from datetime import UTC, datetime
from typing import Final, NamedTuple

from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.states import TaskState
from adaptwin_core.rest.jobs import JobOut, StageOut, TaskOut

# Shares of a job's time, from the stages of bench/results/demo.json. A stage that a job leaves out counts as done.
STAGE_SHARES: Final = {
    Stage.VOCABULARY: 0.01,
    Stage.PERSONALIZE: 0.32,
    Stage.CALIBRATE: 0.14,
    Stage.WEIGH: 0.13,
    Stage.SEARCH: 0.0,
    Stage.FACTORIZE: 0.03,
    Stage.TUNE: 0.12,
    Stage.EVALUATE: 0.23,
    Stage.CHOOSE: 0.01,
    Stage.PUBLISH: 0.01,
}
LEAST_SHARE: Final = 0.05  # less says nothing of the time left


class JobProgress(NamedTuple):
    """The share from 0 to 1, the seconds left if they can be told, and what is being done."""

    share: float
    left_s: float | None
    note: str


def progress_of(job: JobOut, now: datetime | None = None) -> JobProgress:
    """Return how far a job is. The time left follows from the time since its start."""
    last_begun = max((index for index, stage in enumerate(job.stages) if stage.num_tasks), default=-1)
    share = 0.0
    for index, stage in enumerate(job.stages):
        whole = STAGE_SHARES.get(stage.stage, 0.0)
        if index < last_begun:
            share += whole  # done, or left out
        elif index == last_begun:
            share += whole * _share_of(stage)
    left_s = None
    if job.started_at is not None and share >= LEAST_SHARE:
        left_s = ((now or datetime.now(UTC)) - job.started_at).total_seconds() * (1 - share) / share
    return JobProgress(min(share, 1.0), left_s, _note(job, last_begun))


def _share_of(stage: StageOut) -> float:
    of_running = sum(_share_of_task(task) for task in stage.tasks if task.state is TaskState.RUNNING)
    return min(1.0, (stage.num_done + of_running) / stage.num_tasks)


def _share_of_task(task: TaskOut) -> float:
    at = task.progress or {}
    step, total = at.get("step"), at.get("total")
    return min(1.0, step / total) if step is not None and total else 0.0


def _note(job: JobOut, last_begun: int) -> str:
    if last_begun < 0:
        return str(job.state)
    stage = job.stages[last_begun]
    return f"{stage.stage}, {_count(stage.num_done, stage.num_tasks)} done"


def _count(done: int, of: int) -> str:
    return f"{done} of {of} {'task' if of == 1 else 'tasks'}"

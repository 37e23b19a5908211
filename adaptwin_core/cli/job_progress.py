"""How far a job of the service is, as one share of the whole."""

from typing import NamedTuple

from adaptwin_core.cli.stage_shares import STAGE_SHARES, share_before
from adaptwin_core.cli.summary import count_of
from adaptwin_core.domain.states import TaskState
from adaptwin_core.rest.jobs import JobOut, StageOut, TaskOut


class JobProgress(NamedTuple):
    """The share from 0 to 1, the seconds left if they can be told, and what is being done."""

    share: float
    left_s: float | None
    note: str


def progress_of(job: JobOut) -> JobProgress:
    """Return how far a job is, with the time left as the service tells it."""
    left_s = None if job.time_left is None else job.time_left.likely_s
    begun = [stage for stage in job.stages if stage.num_tasks]
    if not begun:
        return JobProgress(0.0, left_s, job.state)
    at = begun[-1]
    share = share_before(at.stage) + STAGE_SHARES[at.stage] * _share_of(at)
    note = f"{at.stage}, {at.num_done} of {count_of(at.num_tasks, 'task')} done"
    is_waiting = job.queue_position is not None and all(task.state is not TaskState.RUNNING for task in at.tasks)
    return JobProgress(share, left_s, f"{note}, place {job.queue_position} in the queue" if is_waiting else note)


def _share_of(stage: StageOut) -> float:
    of_running = sum(_share_of_task(task) for task in stage.tasks if task.state is TaskState.RUNNING)
    return min(1.0, (stage.num_done + of_running) / stage.num_tasks)


def _share_of_task(task: TaskOut) -> float:
    at = task.progress or {}
    step, total = at.get("step"), at.get("total")
    return min(1.0, step / total) if step is not None and total else 0.0

"""A job as its owner sees it: its stages in order, with the progress of each task."""

from datetime import UTC, datetime

from sqlalchemy.orm import Session

from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.stage_table import JOB_STAGES
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.states import TaskState
from adaptwin_core.rest.jobs import JobOut, JobSummary, StageOut, TaskOut, TimeSpan
from adaptwin_core.service import jobs, models, outlook
from adaptwin_core.store.settings import Settings
from adaptwin_core.store.tables import Job, Task


def summary_of(job: Job) -> JobSummary:
    """Return a job as lists show it."""
    return JobSummary.model_validate(job)


def view_of(session: Session, scope: TenantScope, job: Job, settings: Settings) -> JobOut:
    """Return a job with its stages, tasks, model and verdict, and what is ahead of it."""
    tasks = jobs.tasks(session, scope, job.id)
    model = models.of_job(session, scope, job.id)
    ahead = outlook.of_job(session, scope, job.id, num_shards=settings.calibration_shards)
    return JobOut(
        **summary_of(job).model_dump(),
        spec=job.spec,
        accept_little=job.accept_little,
        stages=[_stage(stage, [task for task in tasks if task.stage == stage]) for stage in JOB_STAGES],
        queue_position=ahead.queue_position,
        time_left=TimeSpan.model_validate(ahead.time_left) if ahead.time_left is not None else None,
        model_id=model.id if model is not None else None,
        verdict=model.manifest.get("verdict") if model is not None else None,
    )


def _stage(stage: Stage, tasks: list[Task]) -> StageOut:
    return StageOut(
        stage=stage,
        num_done=sum(task.state == TaskState.DONE for task in tasks),
        num_tasks=len(tasks),
        tasks=[_task(task) for task in tasks],
    )


def _task(task: Task) -> TaskOut:
    seconds = None
    if task.started_at is not None:
        seconds = ((task.finished_at or datetime.now(UTC)) - task.started_at).total_seconds()
    return TaskOut.model_validate(
        {
            "key": task.key,
            "state": task.state,
            "attempt": task.attempt,
            "progress": task.progress,
            "seconds": seconds,
            "error": task.error,
        }
    )

"""A job as its owner sees it: its stages in order, with the progress of each task."""

from datetime import UTC, datetime

from sqlalchemy.orm import Session

from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.stage_table import JOB_STAGES
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.states import TaskState
from adaptwin_core.rest.jobs import ChoiceOut, JobModelOut, JobOut, JobSummary, StageOut, TaskOut, TimeSpan
from adaptwin_core.service import jobs, models, outlook
from adaptwin_core.store.settings import Settings
from adaptwin_core.store.tables import Job, JobMember, Model, Task


def summary_of(job: Job) -> JobSummary:
    """Return a job as lists show it."""
    return JobSummary.model_validate(job)


def view_of(session: Session, scope: TenantScope, job: Job, settings: Settings) -> JobOut:
    """Return a job with its stages, tasks, model and verdict, and what is ahead of it."""
    tasks = jobs.tasks(session, scope, job.id)
    made = models.of_job(session, scope, job.id)
    taken = made.get(0 if job.choice is None else job.choice["take"])
    ahead = outlook.of_job(session, scope, job.id, num_shards=settings.calibration_shards)
    return JobOut(
        **summary_of(job).model_dump(),
        models=[_model(member, made.get(member.place)) for member in job.members],
        choice=None if job.choice is None else ChoiceOut.model_validate(job.choice),
        accept_little=job.accept_little,
        stages=[_stage(stage, [task for task in tasks if task.stage == stage]) for stage in JOB_STAGES],
        queue_position=ahead.queue_position,
        time_left=TimeSpan.model_validate(ahead.time_left) if ahead.time_left is not None else None,
        model_id=taken.id if taken is not None else None,
        verdict=taken.manifest.get("verdict") if taken is not None else None,
    )


def _model(member: JobMember, made: Model | None) -> JobModelOut:
    return JobModelOut(
        base_model=member.base_model_id,
        spec=member.spec,
        model_id=made.id if made is not None else None,
        verdict=made.manifest.get("verdict") if made is not None else None,
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
            "models": task.models,
            "state": task.state,
            "attempt": task.attempt,
            "progress": task.progress,
            "seconds": seconds,
            "error": task.error,
        }
    )

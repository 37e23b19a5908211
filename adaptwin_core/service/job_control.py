"""A job is paused, resumed, or tried again from its last finished task."""

from collections.abc import Collection

from sqlalchemy.orm import Session

from adaptwin_core.domain.errors import Conflict
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.states import JobState, TaskState, next_state
from adaptwin_core.service import events, jobs, pipeline, quotas, readiness
from adaptwin_core.store.queries import auth, datasets, owned, tasks
from adaptwin_core.store.tables import Job


def pause(session: Session, scope: TenantScope, job_id: str) -> Job:
    """Give out no more tasks of a job. Those that run are stopped at their workers' next heartbeat.

    A stopped task begins anew once the job is resumed; the tasks that were finished are kept.

    Raises:
        Conflict: it is paused already, or has ended.
        NotFound: no such job.
    """
    job = owned.get(session, scope, Job, job_id, lock=True)
    state = JobState(job.state)
    if state in jobs.ENDED:
        raise Conflict(f"the job {jobs.ENDED[state]}: there is nothing left to pause", code="illegal_state")
    if state is JobState.PAUSED:
        raise Conflict("the job is paused already: resume it when it may go on", code="illegal_state")
    tasks.pause_open(session, scope, job.id)
    return _now(session, job, "pause", "the job was paused")


def resume(session: Session, scope: TenantScope, job_id: str) -> Job:
    """Queue what was left of a paused job.

    Raises:
        Conflict: it is not paused.
        NotFound: no such job.
    """
    job = owned.get(session, scope, Job, job_id, lock=True)
    if job.state != JobState.PAUSED:
        raise Conflict(f"the job is not paused: it {_is(job)}", code="illegal_state")
    _renew(session, scope, job, {TaskState.PAUSED})
    return _now(session, job, "resume", "the job is queued again")


def retry(session: Session, scope: TenantScope, job_id: str, *, max_unfinished: int) -> Job:
    """Queue what was left of a job that failed or was cancelled. Each task may be tried as often as in a new job.

    Args:
        max_unfinished: how many jobs a tenant may have that have not ended.

    Raises:
        Conflict: it has neither failed nor been cancelled; its speech was deleted; or it failed because its settings
            cannot be met, so that it would fail again.
        LimitExceeded: too many jobs are unfinished.
        NotFound: no such job.
    """
    auth.lock_tenant(session, scope)
    job = owned.get(session, scope, Job, job_id, lock=True)
    if job.state not in {JobState.FAILED, JobState.CANCELLED}:
        raise Conflict(
            f"only a job that failed or was cancelled is tried again: this one {_is(job)}", code="illegal_state"
        )
    quotas.require_job_room(session, scope, max_unfinished)
    for dataset_id in filter(None, (job.dataset_id, job.general_dataset_id)):
        readiness.require_ready(datasets.get(session, scope, dataset_id, lock="share"))
    if not _renew(session, scope, job, {TaskState.FAILED, TaskState.CANCELLED}):
        why = (job.error or {}).get("message", "nothing of it is left")
        raise Conflict(f"the job would fail again: {why}. Submit another", code="illegal_state")
    job.error = job.finished_at = None
    return _now(session, job, "retry", "the job is tried again from its last finished task")


def _renew(session: Session, scope: TenantScope, job: Job, states: Collection[TaskState]) -> int:
    """Queue the tasks of the job's stage that are in these states, and return how many those were."""
    stage = Stage(job.stage or "")
    renewed = tasks.renew(session, scope, job.id, stage, states)
    for task_id in renewed:
        pipeline.announce(session, task_id, stage)
    return len(renewed)


def _now(session: Session, job: Job, event: str, message: str) -> Job:
    job.state = next_state(JobState(job.state), event)
    events.add(session, job, "state", message, state=job.state)
    session.flush()
    session.refresh(job)
    return job


def _is(job: Job) -> str:
    state = JobState(job.state)
    return jobs.ENDED.get(state, f"is {state.value}")

"""The life of a task: claimed under a lease, kept alive, finished once. A job's row is locked before its tasks'."""

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from adaptwin_core.domain.dataset_report import DatasetReport
from adaptwin_core.domain.errors import LeaseLost
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.states import TERMINAL_JOB_STATES, DatasetState, JobState, TaskState, next_state
from adaptwin_core.service import datasets, events, pipeline, results
from adaptwin_core.store.blobs import BlobStore, Files
from adaptwin_core.store.killpoints import killpoint
from adaptwin_core.store.queries import leases
from adaptwin_core.store.tables import Dataset, Job, Task

log = logging.getLogger(__name__)

RETRY_PAUSE_S: Final = 5.0  # before the second attempt; doubles with each one

ErrorDict = dict[str, Any]  # {"code", "message"}


@dataclass(frozen=True)
class Claim:
    """A held lease. `attempt` is the fencing token."""

    task_id: str
    attempt: int
    stage: Stage
    key: str
    job_id: str | None
    dataset_id: str | None  # of an ingest task, which has no job
    tenant_id: str


@dataclass(frozen=True)
class Tasks:
    """The life of a task. `num_shards`: into how many tasks calibration is split, for the stage that follows."""

    lease_s: float
    max_attempts: int
    num_shards: int

    def claim(self, session: Session, task_id: str, owner: str) -> Claim | None:
        """Take a task. None: it is done, held by another, or no longer wanted, and there is nothing to do."""
        task = session.get(Task, task_id)
        if task is None:
            return None
        job = _lock_job(session, task)
        is_part_of_job = job is not None and task.stage != Stage.EXPORT  # an export comes after its job's end
        if job is not None and is_part_of_job and JobState(job.state) in TERMINAL_JOB_STATES:
            return None
        tenant_id = job.tenant_id if job is not None else session.get_one(Dataset, task.dataset_id).tenant_id
        attempt = leases.claim(session, task_id, owner, lease_s=self.lease_s, max_attempts=self.max_attempts)
        if attempt is None:
            return None
        if job is not None:
            if job.state == JobState.QUEUED:
                job.state, job.started_at = next_state(JobState.QUEUED, "start"), func.now()
                events.add(session, job, "state", "the job has started", state=job.state)
            if attempt > 1:
                events.add(
                    session,
                    job,
                    "warning",
                    f"{task.stage} {task.key}: attempt {attempt}",
                    task=task.key,
                    attempt=attempt,
                )
        return Claim(task_id, attempt, Stage(task.stage), task.key, task.job_id, task.dataset_id, tenant_id)

    def heartbeat(self, session: Session, held: Claim, progress: dict[str, Any] | None) -> TaskState:
        """Extend the lease and show progress.

        Returns:
            RUNNING: go on. CANCELLED: the job was cancelled or failed, stop. Anything else: the lease is lost, stop.
        """
        if leases.extend(session, held.task_id, held.attempt, lease_s=self.lease_s, progress=progress):
            return TaskState.RUNNING
        task = session.get_one(Task, held.task_id, populate_existing=True)
        return TaskState.CANCELLED if task.state == TaskState.CANCELLED else TaskState.QUEUED

    def complete(
        self,
        session: Session,
        held: Claim,
        result_key: str,
        made: results.Made,
        *,
        manifest: dict[str, Any] | None = None,
    ) -> None:
        """Finish a job's task, and with the last of a stage begin the next one, all in this transaction.

        Args:
            manifest: of the model, from the publish task.

        Raises:
            LeaseLost: another owns the task now; nothing was written.
        """
        job = session.get_one(Job, held.job_id, with_for_update={"key_share": True}, populate_existing=True)
        if not leases.finish(
            session, held.task_id, held.attempt, TaskState.DONE, {"result_key": result_key, "error": None}
        ):
            raise LeaseLost(f"task {held.task_id} is no longer ours")
        results.add(session, result_key, tenant_id=held.tenant_id, made=made)
        if held.stage is Stage.EXPORT:
            pipeline.exported(session, job, held.key, made.files, made.info)
            return
        job.remaining -= 1
        events.add(
            session,
            job,
            "task",
            f"{held.stage} {held.key} done",
            stage=held.stage,
            task=held.key,
            remaining=job.remaining,
        )
        killpoint("task_finished")
        if job.remaining == 0:
            session.flush()
            pipeline.advance(session, job, manifest, num_shards=self.num_shards)

    def complete_ingest(
        self,
        session: Session,
        held: Claim,
        *,
        digest: str,
        report: DatasetReport,
        files: Files,
        blobs: BlobStore,
    ) -> None:
        """Finish an ingest task and make its dataset ready, in this transaction. Raises LeaseLost."""
        if held.dataset_id is None or not _is_awaited(session, held.dataset_id):
            raise LeaseLost("the dataset was deleted while its speech was read")
        if not leases.finish(session, held.task_id, held.attempt, TaskState.DONE, {"error": None}):
            raise LeaseLost(f"task {held.task_id} is no longer ours")
        datasets.ingested(session, held.dataset_id, digest=digest, report=report, files=files, blobs=blobs)

    def fail(self, session: Session, held: Claim, error: ErrorDict, *, retryable: bool) -> None:
        """Give a task back for another attempt after a pause, or, when none is left or it would not help, fail its job.

        Raises:
            LeaseLost: another owns the task now; nothing was written.
        """
        task = session.get_one(Task, held.task_id)
        job = _lock_job(session, task)
        if retryable and held.attempt < self.max_attempts:
            pause_s = RETRY_PAUSE_S * 2 ** (held.attempt - 1)
            if not leases.finish(session, held.task_id, held.attempt, TaskState.QUEUED, _requeued(error, pause_s)):
                raise LeaseLost(f"task {held.task_id} is no longer ours")
            pipeline.announce(session, held.task_id, held.stage, delay_s=pause_s)
            if job is not None:
                message = f"{held.stage} {held.key} will be tried again: {error['message']}"
                events.add(session, job, "warning", message, task=held.key, code=error["code"])
            return
        if not leases.finish(session, held.task_id, held.attempt, TaskState.FAILED, {"error": error}):
            raise LeaseLost(f"task {held.task_id} is no longer ours")
        _give_up(session, task, job, error)

    def expire(self, session: Session, task_id: str) -> bool:
        """Take a task from a silent worker: queue it again, or fail it. False: the worker lives after all."""
        task = session.get_one(Task, task_id)
        job = _lock_job(session, task)
        silent = (Task.id == task_id) & (Task.state == TaskState.RUNNING) & (Task.lease_until < func.now())
        if (
            session.scalar(select(Task).where(silent).with_for_update().execution_options(populate_existing=True))
            is None
        ):
            return False
        if task.attempt < self.max_attempts:
            leases.finish(session, task_id, task.attempt, TaskState.QUEUED, {"announced_at": func.now()})
            pipeline.announce(session, task_id, Stage(task.stage))
            if job is not None:
                message = f"{task.stage} {task.key}: its worker fell silent; it will be done again"
                events.add(session, job, "warning", message, task=task.key)
            return True
        error = {
            "code": "poison",
            "message": f"{task.stage} {task.key} took down its worker {task.attempt} times and was given up. "
            "It may need more memory than the worker has: ask for less, or run it on a larger machine.",
        }
        leases.finish(session, task_id, task.attempt, TaskState.FAILED, {"error": error})
        _give_up(session, task, job, error)
        return True


def cancel_open(session: Session, job: Job) -> None:
    """Cancel what is left of a job's tasks; a worker that holds one finds out at its next heartbeat."""
    session.execute(
        update(Task)
        .where(Task.job_id == job.id, Task.state.in_([TaskState.QUEUED, TaskState.RUNNING]))
        .values(state=TaskState.CANCELLED, lease_owner=None, lease_until=None, finished_at=func.now())
    )


def _give_up(session: Session, task: Task, job: Job | None, error: ErrorDict) -> None:
    if job is None:
        if task.dataset_id is not None and _is_awaited(session, task.dataset_id):
            datasets.ingest_failed(session, task.dataset_id, error)
        return
    if task.stage == Stage.EXPORT:
        events.add(session, job, "warning", f"export {task.key} failed: {error['message']}", task=task.key)
        return
    if JobState(job.state) in TERMINAL_JOB_STATES:
        return
    job.state, job.finished_at = next_state(JobState(job.state), "fail"), func.now()
    job.error = {**error, "task": f"{task.stage} {task.key}"}
    cancel_open(session, job)
    events.add(session, job, "state", f"the job failed: {error['message']}", state=job.state, code=error["code"])


def _is_awaited(session: Session, dataset_id: str) -> bool:
    dataset = session.get_one(Dataset, dataset_id, with_for_update={"key_share": True}, populate_existing=True)
    return dataset.state == DatasetState.PROBING


def _requeued(error: ErrorDict, pause_s: float) -> dict[str, Any]:
    return {"error": error, "announced_at": func.now() + timedelta(seconds=pause_s)}


def _lock_job(session: Session, task: Task) -> Job | None:
    if task.job_id is None:
        return None
    return session.get_one(Job, task.job_id, with_for_update={"key_share": True}, populate_existing=True)

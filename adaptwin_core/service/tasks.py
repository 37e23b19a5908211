"""Leases on tasks: a task is claimed, kept alive and finished once. Its owner's row is locked before its own."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import func
from sqlalchemy.orm import Session

from adaptwin_core.domain.errors import LeaseLost
from adaptwin_core.domain.stage_table import row_of
from adaptwin_core.domain.stages import Owner, Stage
from adaptwin_core.domain.states import TaskState
from adaptwin_core.service import pipeline
from adaptwin_core.service.dataset_tasks import IngestTask
from adaptwin_core.service.export_tasks import ExportTask
from adaptwin_core.service.job_tasks import JobTask
from adaptwin_core.service.task_owner import Claim, ErrorDict, Outcome, OwnedTask
from adaptwin_core.service.transcription_tasks import TranscriptionTask
from adaptwin_core.store.blobs import BlobStore
from adaptwin_core.store.queries import datasets, jobs, leases, transcriptions
from adaptwin_core.store.tables import Task

RETRY_PAUSE_S: Final = 5.0  # before the second attempt; doubles with each one


@dataclass(frozen=True)
class Owners:
    """Finds what a task belongs to.

    Attributes:
        blobs: where a dataset's corpus must be once it is read.
        num_shards: into how many tasks calibration is split.
    """

    blobs: BlobStore
    num_shards: int

    def lock(self, session: Session, task: Task) -> OwnedTask[Any]:
        """Return the task as its owner sees it, with the owner's row locked until the transaction ends.

        Raises:
            LeaseLost: the owner is gone, and the task with it.
        """
        stage = Stage(task.stage)
        owner = row_of(stage).owner
        if owner is Owner.DATASET:
            assert task.dataset_id is not None
            return IngestTask(session, datasets.locked(session, task.dataset_id), self.blobs)
        if owner is Owner.TRANSCRIPTION:
            assert task.transcription_id is not None
            return TranscriptionTask(transcriptions.locked(session, task.transcription_id))
        assert task.job_id is not None
        job = jobs.locked(session, task.job_id)
        if owner is Owner.EXPORT:
            (place,) = task.models
            return ExportTask(session, job, place, task.key)
        return JobTask(session, job, stage, task.key, tuple(task.models), self.num_shards)


@dataclass(frozen=True)
class Tasks:
    """Gives tasks out and takes them back.

    Attributes:
        lease_s: a worker that is silent for so long has lost its task.
        max_attempts: how often a task is tried.
    """

    lease_s: float
    max_attempts: int
    owners: Owners

    def claim(self, session: Session, task_id: str, worker: str) -> Claim | None:
        """Take a task. Returns None where there is nothing to do: it is done, held by another, or no longer wanted."""
        task = session.get(Task, task_id)
        if task is None:
            return None
        try:
            owned = self.owners.lock(session, task)
        except LeaseLost:
            return None
        if not owned.may_start():
            return None
        attempt = leases.claim(session, task_id, worker, lease_s=self.lease_s, max_attempts=self.max_attempts)
        if attempt is None:
            return None
        owned.started()
        if attempt > 1:
            owned.warn(f": attempt {attempt}", attempt=attempt)
        return Claim(
            task_id,
            attempt,
            Stage(task.stage),
            task.key,
            task.job_id,
            task.dataset_id,
            task.transcription_id,
            owned.tenant_id,
        )

    def heartbeat(
        self, session: Session, held: Claim, progress: dict[str, Any] | None, *, is_event: bool = False
    ) -> TaskState:
        """Extend the lease and show progress.

        Args:
            is_event: tell people of the progress, too.

        Returns:
            RUNNING: go on. CANCELLED: the job was cancelled or failed, or nobody waits any more, stop. PAUSED: the job
                was paused, stop. Anything else: the lease is lost, stop.
        """
        owned = None
        if is_event and (task := session.get(Task, held.task_id)) is not None:
            owned = self.owners.lock(session, task)  # before the task's own row, as everywhere
        if leases.extend(session, held.task_id, held.attempt, lease_s=self.lease_s, progress=progress):
            if owned is not None and progress is not None:
                owned.progressed(progress)
            return TaskState.RUNNING
        task = session.get(Task, held.task_id, populate_existing=True)
        if task is None:
            return TaskState.CANCELLED
        return TaskState(task.state) if task.state in {TaskState.CANCELLED, TaskState.PAUSED} else TaskState.QUEUED

    def complete(self, session: Session, held: Claim, outcome: Outcome) -> None:
        """Finish a task and hand its outcome to its owner, which may begin the next stage, all in this transaction.

        Raises:
            LeaseLost: another holds the task now, or it was cancelled; nothing was written.
        """
        owned = self._lock_held(session, held)
        values: dict[str, Any] = {"result_key": outcome.result_key, "error": None}
        if outcome.worked_s is not None:
            values |= {"worked_s": outcome.worked_s, "expected_s": owned.expected_s()}
        _release(session, held, TaskState.DONE, values)
        owned.done(outcome)

    def fail(self, session: Session, held: Claim, error: ErrorDict, *, retryable: bool) -> None:
        """Give a task back for another attempt after a pause; if none is left or it would not help, fail it.

        Raises:
            LeaseLost: another holds the task now, or it was cancelled; nothing was written.
        """
        owned = self._lock_held(session, held)
        if retryable and held.attempt < self.max_attempts:
            pause_s = RETRY_PAUSE_S * 2 ** (held.attempt - 1)
            announced_at = func.now() + timedelta(seconds=pause_s)
            _release(session, held, TaskState.QUEUED, {"error": error, "announced_at": announced_at})
            pipeline.announce(session, held.task_id, held.stage, delay_s=pause_s)
            owned.warn(f" will be tried again: {error['message']}", code=error["code"])
        else:
            _release(session, held, TaskState.FAILED, {"error": error})
            owned.failed(error)

    def expire(self, session: Session, task_id: str) -> bool:
        """Take a task from a silent worker and queue it again, or fail it. Returns False if the worker still lives."""
        owned = self.owners.lock(session, session.get_one(Task, task_id))
        task = leases.lock_silent(session, task_id)
        if task is None:
            return False
        if task.attempt < self.max_attempts:
            leases.finish(session, task_id, task.attempt, TaskState.QUEUED, {"announced_at": func.now()})
            pipeline.announce(session, task_id, Stage(task.stage))
            owned.warn(": its worker fell silent; it will be done again")
            return True
        error = {
            "code": "poison",
            "message": f"{task.stage} {task.key} took down its worker {task.attempt} times and was given up. "
            "It may need more memory than the worker has: ask for less, or run it on a larger machine.",
        }
        leases.finish(session, task_id, task.attempt, TaskState.FAILED, {"error": error})
        owned.failed(error)
        return True

    def _lock_held(self, session: Session, held: Claim) -> OwnedTask[Any]:
        """Lock the owner of a held task. Raises LeaseLost if the task is gone: nobody waits for it any more."""
        task = session.get(Task, held.task_id)
        if task is None:
            raise LeaseLost(f"task {held.task_id} is gone")
        return self.owners.lock(session, task)


def _release(session: Session, held: Claim, state: TaskState, values: dict[str, Any]) -> None:
    if not leases.finish(session, held.task_id, held.attempt, state, values):
        raise LeaseLost(f"task {held.task_id} is no longer ours")

"""Puts right what a crash, a lost message or a deletion left behind. Running it twice, or two at once, does no harm."""

import logging
import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from kombu.exceptions import OperationalError
from redis.exceptions import RedisError
from sqlalchemy import exists, func, select, text, update
from sqlalchemy.orm import aliased

from adaptwin_core.domain.stages import JOB_STAGES, TABLE, Queue, Stage
from adaptwin_core.domain.states import DatasetState, JobState, TaskState
from adaptwin_core.service import datasets, outbox, pipeline
from adaptwin_core.service.bootstrap import Service
from adaptwin_core.service.broker import Broker
from adaptwin_core.service.tasks import Tasks
from adaptwin_core.store.database import Database
from adaptwin_core.store.tables import Dataset, Job, Task

log = logging.getLogger(__name__)

ADVISORY_LOCK = 7_237_002  # any fixed number: one sweep at a time
BATCH = 500


@dataclass
class Swept:
    """What one sweep did."""

    num_expired: int = 0  # leases whose worker fell silent
    num_announced: int = 0  # queued tasks whose message was lost
    num_advanced: int = 0  # jobs that stood still
    num_stuck_datasets: int = 0
    num_erased: int = 0  # uploads, blobs and files removed


def sweep(service: Service) -> Swept | None:
    """Do one round; None if another process is at it."""
    with service.database.engine.connect() as connection:
        if not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": ADVISORY_LOCK}):
            return None
        connection.commit()  # the lock belongs to the connection; no transaction stays open meanwhile
        try:
            return _sweep(service)
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": ADVISORY_LOCK})


def _sweep(service: Service) -> Swept:
    database = service.database
    done = Swept(
        num_expired=_expire_leases(database, service.tasks),
        num_announced=_announce_lost(database, service.broker, resend_after_s=service.settings.resend_after_s),
        num_advanced=_advance_jobs(database, num_shards=service.settings.calibration_shards),
        num_stuck_datasets=_fail_stuck_datasets(database),
        num_erased=service.eraser.erase(database),
    )
    remove_workdirs(database, service.settings.work_dir)
    with database.transaction() as session:
        outbox.forget_sent(session)
    outbox.flush(database, service.broker)
    if any(vars(done).values()):
        log.info("swept: %s", done)
    return done


def _expire_leases(database: Database, tasks: Tasks) -> int:
    with database.transaction() as session:
        silent = session.scalars(
            select(Task.id).where(Task.state == TaskState.RUNNING, Task.lease_until < func.now()).limit(BATCH)
        ).all()
    num_expired = 0
    for task_id in silent:
        try:
            with database.transaction() as session:
                num_expired += tasks.expire(session, task_id)
        except Exception:  # one bad row must not keep the rest from being swept
            log.exception("task %s could not be taken from its silent worker", task_id)
    return num_expired


def _announce_lost(database: Database, sender: Broker, *, resend_after_s: float) -> int:
    """Ring again for queued tasks nobody came for, but only where the queue holds fewer messages than tasks wait."""
    stale = timedelta(seconds=resend_after_s)
    num_announced = 0
    for queue in Queue:
        stages = [row.stage for row in TABLE if row.queue is queue]
        waiting = (Task.state == TaskState.QUEUED) & Task.stage.in_(stages)
        with database.transaction() as session:
            num_waiting = session.scalar(select(func.count()).select_from(Task).where(waiting)) or 0
            try:
                if num_waiting <= sender.depth(queue):
                    continue  # the messages are there, the workers are busy
            except (OperationalError, RedisError) as error:
                log.warning("the broker is away: %s", error)
                continue
            lost = session.execute(
                update(Task)
                .where(Task.id.in_(select(Task.id).where(waiting, Task.announced_at < func.now() - stale).limit(BATCH)))
                .values(announced_at=func.now())
                .returning(Task.id, Task.stage)
            ).all()
            for task_id, stage in lost:
                pipeline.announce(session, task_id, Stage(stage))
            num_announced += len(lost)
    return num_announced


def _advance_jobs(database: Database, *, num_shards: int) -> int:
    """Move on jobs whose stage is done but which stand still: never seen, as both change in one transaction."""
    open_task = aliased(Task)
    is_open = exists().where(
        open_task.job_id == Job.id, open_task.stage == Job.stage, open_task.state != TaskState.DONE
    )
    with database.transaction() as session:
        stuck = session.scalars(
            select(Job)
            .where(Job.state == JobState.RUNNING, Job.stage != JOB_STAGES[-1], ~is_open)
            .with_for_update(skip_locked=True, key_share=True)
            .limit(BATCH)
        ).all()
        for job in stuck:
            log.error("job %s stood still after %s", job.id, job.stage)
            pipeline.advance(session, job, None, num_shards=num_shards)
        return len(stuck)


def _fail_stuck_datasets(database: Database) -> int:
    """Fail datasets that wait for a worker though no task of theirs is open."""
    is_open = exists().where(Task.dataset_id == Dataset.id, Task.state.in_([TaskState.QUEUED, TaskState.RUNNING]))
    with database.transaction() as session:
        stuck = session.scalars(
            select(Dataset.id).where(Dataset.state == DatasetState.PROBING, ~is_open).limit(BATCH)
        ).all()
        for dataset_id in stuck:
            log.error("dataset %s waits for a task that is not there", dataset_id)
            error = {
                "code": "internal",
                "message": "reading the speech broke off; make a new dataset and send it again",
            }
            datasets.ingest_failed(session, dataset_id, error)
        return len(stuck)


def remove_workdirs(database: Database, root: Path) -> None:
    """Remove what killed workers left in their folders: `TASK-ATTEMPT-random`, of a lease that is over."""
    if not root.is_dir():
        return
    folders = {folder: tuple(folder.name.split("-")[:2]) for folder in root.iterdir()}
    with database.transaction() as session:
        held = {
            (task_id, str(attempt))
            for task_id, attempt in session.execute(
                select(Task.id, Task.attempt).where(Task.state == TaskState.RUNNING)
            )
        }
    for folder, holder in folders.items():
        if holder not in held:
            shutil.rmtree(folder, ignore_errors=True)

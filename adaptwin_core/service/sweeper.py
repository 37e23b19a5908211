"""Repairs what a crash, a lost message or a deletion left behind. It may run twice, or in two processes at once."""

import logging
from dataclasses import dataclass
from datetime import timedelta

from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.stage_table import TABLE
from adaptwin_core.domain.stages import Queue
from adaptwin_core.domain.states import UploadState
from adaptwin_core.service import outbox, pipeline, transcriptions, webhook_upkeep, work_folders
from adaptwin_core.service.bootstrap import Service
from adaptwin_core.service.broker import Broker
from adaptwin_core.service.dataset_tasks import IngestTask
from adaptwin_core.service.tasks import Tasks
from adaptwin_core.store.blobs import BlobStore
from adaptwin_core.store.database import Database
from adaptwin_core.store.queries import datasets, jobs, leases
from adaptwin_core.store.queries import tasks as task_queries
from adaptwin_core.store.queries import uploads as upload_queries

log = logging.getLogger(__name__)

ONE_SWEEP = 7_237_002  # the number of the lock; any fixed number would do
BATCH = 500


@dataclass
class Swept:
    """What one sweep did."""

    num_expired: int = 0  # leases whose worker fell silent
    num_announced: int = 0  # queued tasks whose message was lost
    num_advanced: int = 0  # jobs that stood still
    num_stuck_datasets: int = 0
    num_joined: int = 0  # uploads in parts that a killed process left
    num_forgotten: int = 0  # recordings to transcribe, of which nobody took the answer
    num_rung: int = 0  # deliveries to webhooks whose message was lost
    num_erased: int = 0  # uploads, blobs and files removed


def sweep(service: Service) -> Swept | None:
    """Do one round; None if another process is at it."""
    with service.database.alone(ONE_SWEEP) as is_free:
        done = _sweep(service) if is_free else None
    if done is not None:  # the next sweep need not wait for gigabytes to be copied
        done.num_joined = _join_left(service)
        if any(vars(done).values()):
            log.info("swept: %s", done)
    return done


def _sweep(service: Service) -> Swept:
    database = service.database
    done = Swept(
        num_expired=_expire_leases(database, service.tasks),
        num_announced=_announce_lost(database, service.broker, resend_after_s=service.settings.resend_after_s),
        num_advanced=_advance_jobs(database, num_shards=service.settings.calibration_shards),
        num_stuck_datasets=_fail_stuck_datasets(database, service.blobs),
        num_forgotten=_forget_transcriptions(database),
        num_rung=webhook_upkeep.ring_lost(database, service.broker, resend_after_s=service.settings.resend_after_s),
        num_erased=service.eraser.erase(database),
    )
    work_folders.remove_abandoned(database, service.settings.work_dir)
    with database.transaction() as session:
        outbox.forget_sent(session)
        webhook_upkeep.forget_ended(session)
    outbox.flush(database, service.broker)
    return done


def _join_left(service: Service) -> int:
    """Join one upload whose parts a killed process left, at most: that may copy gigabytes."""
    with service.database.transaction() as session:
        left = upload_queries.left_unjoined(session, limit=BATCH)
    for upload in left:
        try:
            joined = service.joiner.join(TenantScope(upload.tenant_id), upload.id)
        except Exception:  # perhaps the disk is full: the next sweep tries another
            log.exception("the parts of upload %s could not be joined", upload.id)
            return 0
        if joined is not None:
            service.uploads.forget_files(joined)
            return int(joined.state == UploadState.COMPLETE)
    return 0


def _forget_transcriptions(database: Database) -> int:
    with database.transaction() as session:
        return transcriptions.forget_left(session)


def _expire_leases(database: Database, tasks: Tasks) -> int:
    with database.transaction() as session:
        silent = leases.silent(session, limit=BATCH)
    num_expired = 0
    for task_id in silent:
        try:
            with database.transaction() as session:
                num_expired += tasks.expire(session, task_id)
        except Exception:  # one bad row must not keep the rest from being swept
            log.exception("task %s could not be taken from its silent worker", task_id)
    return num_expired


def _announce_lost(database: Database, broker: Broker, *, resend_after_s: float) -> int:
    """Announce queued tasks again where their queue holds fewer messages than there are tasks: some were lost."""
    num_announced = 0
    for queue in Queue:
        stages = [row.stage for row in TABLE if row.queue is queue]
        with database.transaction() as session:
            num_waiting = task_queries.num_waiting(session, stages)
            try:
                if num_waiting <= broker.depth(queue):
                    continue  # the messages are there, the workers are busy
            except (OperationalError, RedisError) as error:
                log.warning("the broker is away: %s", error)
                continue
            after = timedelta(seconds=resend_after_s)
            lost = task_queries.announce_again(session, stages, after=after, limit=BATCH)
            for task_id, stage in lost:
                pipeline.announce(session, task_id, stage)
            num_announced += len(lost)
    return num_announced


def _advance_jobs(database: Database, *, num_shards: int) -> int:
    """Advance jobs whose stage is done. This should find none, because one transaction does both."""
    with database.transaction() as session:
        stuck = jobs.standing_still(session, limit=BATCH)
        for job in stuck:
            log.error("job %s stood still after %s", job.id, job.stage)
            pipeline.advance(session, job, num_shards=num_shards)
        return len(stuck)


def _fail_stuck_datasets(database: Database, blobs: BlobStore) -> int:
    """Fail datasets that wait for a worker though no task of theirs is open."""
    error = {"code": "internal", "message": "reading the speech broke off; make a new dataset and send it again"}
    with database.transaction() as session:
        stuck = datasets.without_task(session, limit=BATCH)
        for dataset in stuck:
            log.error("dataset %s waits for a task that is not there", dataset.id)
            IngestTask(session, dataset, blobs).failed(error)
        return len(stuck)

"""The one way a task runs: claimed, kept alive by heartbeats, done, and finished. Nothing here trusts the broker.

If the worker dies, its lease runs out. The sweeper (`service/sweeper.py`) then queues the task again, and another
worker claims it under a new attempt number. A result and the end of its task are committed together, so nothing half
done is ever seen. A task that has taken down `max_attempts` workers is given up, and fails its owner.
"""

import logging
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from adaptwin_core.domain.errors import Cancelled, CorruptBlob, LeaseLost, NotFound
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.stage_table import row_of
from adaptwin_core.domain.stages import Owner
from adaptwin_core.ml.stages.task_result import TaskResult
from adaptwin_core.service import outbox, results, work_folders
from adaptwin_core.service.bootstrap import Service
from adaptwin_core.service.job_tasks import StageOutcome
from adaptwin_core.service.task_owner import Claim
from adaptwin_core.store.blobs import BlobStore
from adaptwin_core.store.killpoints import killpoint
from adaptwin_core.store.queries.blobs import lock_shared
from adaptwin_core.store.tables import Task
from worker.context import StageContext
from worker.failure import failure_of
from worker.ingest import ingest
from worker.lease import Lease
from worker.presence import worker_name
from worker.transcribe import LAST, transcribe

log = logging.getLogger(__name__)

StageBody = Callable[[StageContext], TaskResult]


def run_task(service: Service, task_id: str, load_body: Callable[[], StageBody]) -> None:
    """Do one task if it can be claimed; every outcome is in the database when this returns.

    Where the lease was lost or the database cannot be reached, no row is written, and the task is done again.

    Args:
        load_body: returns `run_stage`; called only for a task of a job or an export whose result is not known yet.
    """
    with service.database.transaction() as session:
        claim = service.tasks.claim(session, task_id, worker_name())
    if claim is None:
        log.info("task %s is done, held or no longer wanted", task_id)
        return
    log.info("%s %s: attempt %d of %s", claim.stage, claim.key, claim.attempt, task_id)
    # The sweeper may run on another machine, and never see the folders of workers that were killed on this one.
    work_folders.remove_abandoned(service.database, service.settings.work_dir)
    killpoint("task_claimed")
    try:
        with Lease(service, claim) as lease, work_folders.work_folder(service.settings.work_dir, claim) as workdir:
            try:
                _work(service, claim, lease, workdir, load_body)
            except (Cancelled, LeaseLost):
                raise
            except Exception as error:  # noqa: BLE001  # whatever it is, the job must learn of it
                _fail(service, claim, error)
    except (Cancelled, LeaseLost) as stop:
        log.info("task %s stopped: %s", task_id, stop)
    outbox.flush(service.database, service.broker)


def _work(service: Service, claim: Claim, lease: Lease, workdir: Path, load_body: Callable[[], StageBody]) -> None:
    owner = row_of(claim.stage).owner
    if owner is Owner.TRANSCRIPTION:
        transcribe(service, claim, lease, workdir)
        return
    LAST.drop()
    if owner is Owner.DATASET:
        ingest(service, claim, lease, workdir)
    else:
        _run_stage_task(service, claim, lease, workdir, load_body)


def _run_stage_task(
    service: Service, claim: Claim, lease: Lease, workdir: Path, load_body: Callable[[], StageBody]
) -> None:
    blobs, scope = service.blobs, TenantScope(claim.tenant_id)
    with service.database.transaction() as session:
        inputs = results.inputs_of(session, session.get_one(Task, claim.task_id))
        made = results.find(session, scope, inputs.result_key)
    if made is not None and not _is_whole(blobs, scope, made):
        log.warning("the result of %s %s is damaged; it is made again", claim.stage, claim.key)
        with service.database.transaction() as session:
            results.forget(session, scope, inputs.result_key)
        made = None
    if made is None:
        context = StageContext(inputs, workdir, blobs, lease, service.settings)
        began = time.monotonic()
        task_result = load_body()(context)
        worked_s = time.monotonic() - began
        lease.check()
        killpoint("task_worked")
        with service.database.transaction() as session:
            lock_shared(session, scope)  # no blob is erased between its storing and the row that names it
            files = {name: blobs.put(path, scope=scope.tenant_id) for name, path in task_result.files.items()}
            made = results.Made(files, dict(task_result.figures))
            killpoint("task_stored")
            service.tasks.complete(session, claim, StageOutcome(inputs.result_key, made, worked_s))
    else:
        with service.database.transaction() as session:
            lock_shared(session, scope)
            if not _is_whole(blobs, scope, made):
                raise CorruptBlob("a kept result was erased meanwhile: it is made again")
            service.tasks.complete(session, claim, StageOutcome(inputs.result_key, made))
    killpoint("task_committed")


def _is_whole(blobs: BlobStore, scope: TenantScope, made: results.Made) -> bool:
    """Tell whether every file of a result is there with the bytes that it was stored with."""
    try:
        for file in made.files.values():
            blobs.fetch(file.sha256, scope=scope.tenant_id)
    except (NotFound, CorruptBlob):
        return False
    return True


def _fail(service: Service, claim: Claim, error: Exception) -> None:
    failure = failure_of(claim, error)
    # A database that is away is not the task's fault: the lease runs out and the task is done again.
    if isinstance(error, SQLAlchemyError):
        return
    with service.database.transaction() as session:
        service.tasks.fail(session, claim, failure.error, retryable=failure.retryable)

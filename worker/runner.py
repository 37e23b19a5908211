"""The one way a task runs: claim, keep alive, work, finish under the fence. Nothing here trusts the broker."""

import errno
import logging
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy.exc import SQLAlchemyError

from adaptwin_core.domain.errors import AdaptwinError, Cancelled, CorruptBlob, LeaseLost, NotFound, ResourceExhausted
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.stages import Stage
from adaptwin_core.ml.stages.step_result import StepResult
from adaptwin_core.service import outbox, results, sweeper
from adaptwin_core.service.bootstrap import Service
from adaptwin_core.service.tasks import Claim
from adaptwin_core.store.blobs import BlobStore, as_json
from adaptwin_core.store.killpoints import killpoint
from adaptwin_core.store.queries.erasure import share_blobs
from adaptwin_core.store.tables import Task
from worker.context import StageContext
from worker.ingest import ingest
from worker.lease import Lease

log = logging.getLogger(__name__)

StageBody = Callable[[StageContext], StepResult]

OUT_OF_MEMORY: Final = frozenset({"MemoryError", "OutOfMemoryError"})  # torch's by name: it is not imported here


def run_task(service: Service, task_id: str, load_body: Callable[[], StageBody]) -> None:
    """Do one task if it is to be had; every outcome, good or bad, is in the database when this returns.

    Args:
        load_body: returns `run_stage`; called only for a job's task whose result is not known yet.
    """
    with service.database.transaction() as session:
        claim = service.tasks.claim(session, task_id, f"{socket.gethostname()}:{os.getpid()}")
    if claim is None:
        log.info("task %s is done, held or no longer wanted", task_id)
        return
    log.info("%s %s: attempt %d of %s", claim.stage, claim.key, claim.attempt, task_id)
    # The sweeper may run on another machine, and never see the folders of workers that were killed on this one.
    sweeper.remove_workdirs(service.database, service.settings.work_dir)
    killpoint("task_claimed")
    try:
        with Lease(service, claim) as lease, _workdir(service.settings.work_dir, claim) as workdir:
            try:
                if claim.stage is Stage.INGEST:
                    ingest(service, claim, lease, workdir)
                else:
                    _run_stage(service, claim, lease, workdir, load_body)
            except (Cancelled, LeaseLost):
                raise
            except Exception as error:  # noqa: BLE001  # whatever it is, the job must learn of it
                _fail(service, claim, error)
    except (Cancelled, LeaseLost) as stop:
        log.info("task %s stopped: %s", task_id, stop)
    outbox.flush(service.database, service.broker)


def _run_stage(service: Service, claim: Claim, lease: Lease, workdir: Path, load_body: Callable[[], StageBody]) -> None:
    blobs = service.blobs
    with service.database.transaction() as session:
        inputs = results.inputs_of(session, session.get_one(Task, claim.task_id))
        made = results.find(session, inputs.result_key)
    if made is not None and not _is_whole(blobs, made, claim.tenant_id):
        log.warning("the result of %s %s is damaged; it is made again", claim.stage, claim.key)
        with service.database.transaction() as session:
            results.forget(session, inputs.result_key)
        made = None
    if made is None:
        context = StageContext(inputs, workdir, blobs, lease, service.settings)
        left = load_body()(context)
        lease.check()
        killpoint("task_worked")
        with service.database.transaction() as session:
            share_blobs(session, TenantScope(claim.tenant_id))
            files = {name: blobs.put(path, scope=claim.tenant_id) for name, path in left.files.items()}
            made = results.Made(files, dict(left.figures))
            killpoint("task_stored")
            service.tasks.complete(session, claim, inputs.result_key, made, manifest=_manifest(claim, made))
    else:
        with service.database.transaction() as session:
            share_blobs(session, TenantScope(claim.tenant_id))
            if not _is_whole(blobs, made, claim.tenant_id):
                raise CorruptBlob("a kept result was erased meanwhile: it is made again")
            service.tasks.complete(session, claim, inputs.result_key, made, manifest=_manifest(claim, made))
    killpoint("task_committed")


def _is_whole(blobs: BlobStore, made: results.Made, tenant_id: str) -> bool:
    try:
        for file in made.files.values():
            blobs.fetch(file.sha256, scope=tenant_id)
    except (NotFound, CorruptBlob):
        return False
    return True


def _manifest(claim: Claim, made: results.Made) -> dict[str, Any] | None:
    """Return the published model's manifest; what it says of files is what was stored."""
    if claim.stage is not Stage.PUBLISH:
        return None
    return {**made.info, "files": as_json(made.files)}


def _fail(service: Service, claim: Claim, error: Exception) -> None:
    expected = _as_expected(error)
    if expected is None:
        log.exception("%s %s failed", claim.stage, claim.key, exc_info=error)
        told = {"code": "internal", "message": f"an unforeseen {type(error).__name__}; the worker's log has its trace"}
    else:
        log.warning("%s %s failed: %s", claim.stage, claim.key, error)
        told = {"code": expected.code, "message": expected.message}
    # A database that is away is not the task's fault: the lease runs out and the task is done again.
    if isinstance(error, SQLAlchemyError):
        return
    with service.database.transaction() as session:
        service.tasks.fail(session, claim, told, retryable=expected is not None and expected.retryable)


def _as_expected(error: Exception) -> AdaptwinError | None:
    if isinstance(error, AdaptwinError):
        return error
    is_memory = type(error).__name__ in OUT_OF_MEMORY or "can't allocate memory" in str(error)
    if is_memory or (isinstance(error, OSError) and error.errno == errno.ENOSPC):
        return ResourceExhausted(f"the worker ran out of memory or disk ({type(error).__name__})")
    return None


@contextmanager
def _workdir(root: Path, claim: Claim) -> Iterator[Path]:
    root.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=root, prefix=f"{claim.task_id}-{claim.attempt}-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)

"""A thread that keeps a claimed task alive while its body works, and learns when the body must stop."""

import logging
import os
import threading
import time
from types import TracebackType
from typing import Any, Final, Self

from sqlalchemy.exc import SQLAlchemyError

from adaptwin_core.domain.errors import Cancelled, LeaseLost
from adaptwin_core.domain.states import TaskState
from adaptwin_core.service.bootstrap import Service
from adaptwin_core.service.task_owner import Claim

log = logging.getLogger(__name__)

EXIT_DEADLINE: Final = 75
TELL_EVERY: Final = 0.05  # of a task: so much progress is an event


class Lease:
    """The lease on one task, kept alive from the beginning of a `with` block to its end."""

    def __init__(self, service: Service, claim: Claim) -> None:
        self._claim = claim
        self._database, self._tasks, self._settings = service.database, service.tasks, service.settings
        self._done = threading.Event()
        self._state = TaskState.RUNNING  # as the last heartbeat found it
        self._progress: dict[str, Any] | None = None
        self._told = 0.0  # the share of the task that the last event told
        self._thread = threading.Thread(target=self._keep_alive, name=f"lease {claim.task_id}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def progress(self, done: int, total: int, /, **figures: float) -> None:
        """Show progress, and raise Cancelled or LeaseLost if the body must stop.

        Cheap: call it in every loop. Only the latest is sent, at the next heartbeat.
        """
        self.check()
        self._progress = {"step": done, "total": total, **figures}

    def check(self) -> None:
        """Raise Cancelled or LeaseLost if the body must stop. Cheap: call it in every loop."""
        match self._state:
            case TaskState.RUNNING:
                return
            case TaskState.CANCELLED:
                raise Cancelled("the job was cancelled")
            case TaskState.PAUSED:
                raise Cancelled("the job was paused")
        raise LeaseLost(f"task {self._claim.task_id} is no longer ours")

    def _keep_alive(self) -> None:
        started = last_beat = time.monotonic()
        while not self._done.wait(self._settings.heartbeat_s):
            asked = time.monotonic()
            if asked - started > self._settings.task_deadline_s:
                self._give_up()
            progress = self._progress
            share = progress["step"] / progress["total"] if progress is not None and progress["total"] else 0.0
            is_event = self._told + TELL_EVERY <= share < 1
            try:
                with self._database.transaction() as session:
                    state = self._tasks.heartbeat(session, self._claim, progress, is_event=is_event)
            except SQLAlchemyError as error:
                log.warning("heartbeat of %s failed: %s", self._claim.task_id, error)
                if asked - last_beat > self._settings.lease_s:
                    self._state = TaskState.QUEUED  # by the database's clock another may have it by now
                continue
            last_beat = asked
            self._told = share if is_event else self._told
            if self._state is TaskState.RUNNING:  # what was lost once is not ours again
                self._state = state

    def _give_up(self) -> None:
        """End the process: the body may be deep in C code, where nothing else reaches it."""
        hours = self._settings.task_deadline_s / 3600
        message = f"{self._claim.stage} {self._claim.key} took longer than the {hours:g} h a task may take"
        log.error("%s; this worker process ends", message)
        try:
            with self._database.transaction() as session:
                self._tasks.fail(session, self._claim, {"code": "deadline", "message": message}, retryable=True)
        except (LeaseLost, SQLAlchemyError) as error:
            log.warning("the deadline of %s could not be recorded: %s", self._claim.task_id, error)
        os._exit(EXIT_DEADLINE)

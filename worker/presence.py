"""Each process that does tasks says every few seconds that it is there, so that the service can count its workers."""

import logging
import os
import socket
import threading
from datetime import timedelta
from typing import Final

from celery import Celery, signals
from sqlalchemy.exc import SQLAlchemyError

from adaptwin_core.domain.stages import Queue
from adaptwin_core.service.bootstrap import Service
from adaptwin_core.service.work_times import SEEN_EVERY_S
from adaptwin_core.store.queries import workers

log = logging.getLogger(__name__)

FORGET_AFTER: Final = timedelta(hours=1)


def worker_name() -> str:
    """Return what this process is called in the database."""
    return f"{socket.gethostname()}:{os.getpid()}"


def announce_itself(app: Celery, service: Service) -> None:
    """Let every process of the pool of `app` tell that it is there, if it takes the queue of a stage."""

    def begin(**_: object) -> None:
        queues = {str(queue) for queue in Queue} & set(app.amqp.queues.consume_from)
        if queues:
            threading.Thread(target=_tell, args=(service, queues), name="presence", daemon=True).start()

    signals.worker_process_init.connect(begin, weak=False)


def _tell(service: Service, queues: set[str]) -> None:
    pause = threading.Event()
    while True:
        try:
            with service.database.transaction() as session:
                workers.seen(session, worker_name(), queues, forget_after=FORGET_AFTER)
        except SQLAlchemyError as error:
            log.warning("the database was not told of this worker: %s", error)
        pause.wait(SEEN_EVERY_S)

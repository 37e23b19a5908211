"""How our Celery applications are set. The database is the truth: no setting here guards correctness."""

from collections.abc import Callable

from celery import Celery

from adaptwin_core.domain.stages import Queue
from adaptwin_core.service import broker
from adaptwin_core.service.bootstrap import bootstrap
from adaptwin_core.store.settings import Settings
from worker.presence import announce_itself
from worker.runner import StageBody
from worker.tasks import load_stages, register

RELAY_S = 5.0  # a message whose sender died goes out within this
SOFT_SHUTDOWN_S = 30.0
HOUR_S = 3600


def make_app(settings: Settings, load_body: Callable[[], StageBody] = load_stages) -> Celery:
    """Return the application a worker or beat runs."""
    app = Celery("adaptwin", broker=settings.redis_url)
    app.conf.update(
        # Acknowledged on receipt: a lost task comes back when its lease runs out, never because the broker timed out.
        task_acks_late=False,
        task_reject_on_worker_lost=False,  # a task that kills its worker would come back for ever; attempts are counted
        worker_prefetch_multiplier=1,
        worker_disable_prefetch=True,  # a message waits in the queue, not in a busy worker that may be killed
        task_ignore_result=True,  # results are rows and blobs
        task_serializer="json",
        accept_content=["json"],  # never pickle: whoever reaches the broker could run code
        task_default_queue=Queue.MODEL,
        task_create_missing_queues=True,
        worker_soft_shutdown_timeout=SOFT_SHUTDOWN_S,  # a deployment lets short tasks end
        worker_max_tasks_per_child=200,  # bounds what leaks; a block's start-up cost stays small beside it
        worker_cancel_long_running_tasks_on_connection_loss=False,  # the lease is kept in the database, not there
        broker_connection_retry_on_startup=True,  # a worker may start before its broker
        broker_connection_max_retries=None,
        broker_transport_options={
            "visibility_timeout": HOUR_S,  # only for messages never acknowledged; a second delivery is refused by lease
            "socket_timeout": 30,  # a dead connection is noticed
            "socket_keepalive": True,
            "health_check_interval": 15,
        },
        task_time_limit=settings.task_deadline_s + 60,  # the heartbeat thread ends an overdue task first
        worker_hijack_root_logger=False,
        beat_scheduler="celery.beat:Scheduler",  # in memory: its only entries recur in seconds
        beat_schedule={
            "relay": _every(RELAY_S, broker.TASK_RELAY),
            "sweep": _every(settings.sweep_s, broker.TASK_SWEEP),
        },
    )
    service = bootstrap(settings)
    register(app, service, load_body)
    announce_itself(app, service)
    return app


def _every(period_s: float, task: str) -> dict[str, object]:
    # While no platform worker runs, old messages are dropped: one of them does the work of all.
    expires_s = max(2 * period_s, 10.0)
    return {"task": task, "schedule": period_s, "options": {"queue": broker.QUEUE_PLATFORM, "expires": expires_s}}

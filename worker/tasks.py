"""What a worker does for a message: it runs a task, sends the outbox, sweeps, or tells a webhook."""

from collections.abc import Callable

from celery import Celery

from adaptwin_core.service import broker, outbox, sweeper
from adaptwin_core.service.bootstrap import Service
from worker.runner import StageBody, run_task


def load_stages() -> StageBody:
    """Import the machine-learning side: in the child process that needs it, never in the parent."""
    from worker.stages import run_stage

    return run_stage


def register(app: Celery, service: Service, load_body: Callable[[], StageBody] = load_stages) -> None:
    """Give `app` its tasks."""

    def run(task_id: str) -> None:
        run_task(service, task_id, load_body)

    def relay() -> None:
        outbox.flush(service.database, service.broker)

    def sweep() -> None:
        sweeper.sweep(service)

    def deliver(delivery_id: str) -> None:
        service.courier.deliver(service.database, delivery_id)

    tasks = {broker.TASK_RUN: run, broker.TASK_RELAY: relay, broker.TASK_SWEEP: sweep, broker.TASK_DELIVER: deliver}
    for name, function in tasks.items():
        app.task(function, name=name, shared=False)  # of this app only: a test's app has another body

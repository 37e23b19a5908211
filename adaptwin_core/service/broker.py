"""The doorbell: a Celery app that only sends. Doors that must not load a worker's code send by name through it."""

from functools import lru_cache
from typing import Final

from celery import Celery

from adaptwin_core.store.settings import get_settings

TASK_RUN: Final = "adaptwin.run_task"
TASK_SWEEP: Final = "adaptwin.sweep"
TASK_RELAY: Final = "adaptwin.relay"

QUEUE_PLATFORM: Final = "platform"  # sweep and relay; those of tasks are in domain/stages.py

SEND_TIMEOUT_S = 3.0  # a request must not hang on a dead broker: the message is safe in the outbox


@lru_cache
def get_app() -> Celery:
    """Return the process's sender."""
    app = Celery("adaptwin.sender", broker=get_settings().redis_url, set_as_current=False)
    app.conf.update(
        task_serializer="json",
        accept_content=["json"],  # never pickle
        task_ignore_result=True,  # results live in the database
        task_publish_retry=False,  # the outbox retries, and for longer
        broker_transport_options={
            "socket_timeout": SEND_TIMEOUT_S,
            "socket_connect_timeout": SEND_TIMEOUT_S,
            "max_retries": 0,
        },
    )
    return app


def send(topic: str, queue: str, args: list[object], message_id: str) -> None:
    """Send one message. Raises kombu's OperationalError when the broker cannot be reached."""
    get_app().send_task(topic, args=args, queue=queue, task_id=message_id, ignore_result=True)


def depth(queue: str) -> int:
    """Return how many messages wait in a queue. Raises kombu's OperationalError when the broker cannot be reached."""
    with get_app().connection_for_read() as connection:
        connection.ensure_connection(max_retries=1, timeout=SEND_TIMEOUT_S)
        return int(connection.default_channel.client.llen(queue))

"""The broker: a Celery application that only sends, by name, so that the API need not load a worker's code."""

from typing import Final

from celery import Celery

TASK_RUN: Final = "adaptwin.run_task"
TASK_SWEEP: Final = "adaptwin.sweep"
TASK_RELAY: Final = "adaptwin.relay"
TASK_DELIVER: Final = "adaptwin.deliver"

QUEUE_PLATFORM: Final = "platform"  # sweep and relay; those of tasks are in domain/stages.py
QUEUE_WEBHOOKS: Final = "webhooks"  # apart, because receivers may be slow

SEND_TIMEOUT_S = 3.0  # a request must not hang on a dead broker: the message is safe in the outbox


class Broker:
    """Sends messages, and counts those that wait. It connects when it is first used."""

    def __init__(self, redis_url: str) -> None:
        self._app = Celery("adaptwin.sender", broker=redis_url, set_as_current=False)
        self._app.conf.update(
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

    def send(self, topic: str, queue: str, args: list[object], message_id: str) -> None:
        """Send one message. Raises kombu's OperationalError when the broker cannot be reached."""
        self._app.send_task(topic, args=args, queue=queue, task_id=message_id, ignore_result=True)

    def depth(self, queue: str) -> int:
        """Return how many messages wait in a queue.

        Raises:
            kombu.exceptions.OperationalError: the broker cannot be reached.
        """
        with self._app.connection_for_read() as connection:
            connection.ensure_connection(max_retries=1, timeout=SEND_TIMEOUT_S)
            return int(connection.default_channel.client.llen(queue))

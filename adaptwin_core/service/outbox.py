"""Messages that are written with the change they announce, and sent only once that is committed.

A message may be sent twice (a crash between sending and marking), never lost: its receiver is fenced by a lease.
"""

import logging
from datetime import timedelta
from typing import Any

from kombu.exceptions import OperationalError
from redis.exceptions import RedisError
from sqlalchemy import func
from sqlalchemy.orm import Session

from adaptwin_core.domain.ids import new_id
from adaptwin_core.service.broker import Broker
from adaptwin_core.store.database import Database
from adaptwin_core.store.killpoints import killpoint
from adaptwin_core.store.queries import outbox as queries
from adaptwin_core.store.tables import Outbox

log = logging.getLogger(__name__)

BATCH = 100
KEEP_SENT = timedelta(days=1)  # long enough to answer "was it sent?"


def enqueue(session: Session, topic: str, queue: str, args: list[Any], *, delay_s: float = 0.0) -> None:
    """Write a message that is due `delay_s` after this transaction began."""
    session.add(
        Outbox(id=new_id("msg"), topic=topic, queue=queue, args=args, due_at=func.now() + timedelta(seconds=delay_s))
    )


def flush(database: Database, broker: Broker) -> int:
    """Send every committed message that is due; return how many went. If the broker is away they stay."""
    num_sent = 0
    while True:
        with database.transaction() as session:
            batch = queries.due(session, limit=BATCH)
            killpoint("relay_selected")
            for message in batch:
                try:
                    broker.send(message.topic, message.queue, message.args, message.id)
                except (OperationalError, RedisError) as error:
                    log.warning("the broker is away, messages wait in the outbox: %s", error)
                    return num_sent
                killpoint("relay_sent")
                message.sent_at = func.now()
                num_sent += 1
        if len(batch) < BATCH:
            return num_sent


def forget_sent(session: Session) -> None:
    """Delete messages that were sent long ago."""
    queries.forget_sent(session, after=KEEP_SENT)

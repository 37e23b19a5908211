"""What the sweeper does for webhooks: it rings again for deliveries whose message was lost, and shortens their logs."""

import logging
from datetime import timedelta

from kombu.exceptions import OperationalError
from redis.exceptions import RedisError
from sqlalchemy.orm import Session

from adaptwin_core.service import broker as names
from adaptwin_core.service import outbox
from adaptwin_core.service.broker import Broker
from adaptwin_core.store.database import Database
from adaptwin_core.store.queries import courier as queries

log = logging.getLogger(__name__)

KEEP_ENDED = timedelta(days=30)
BATCH = 500


def ring_lost(database: Database, broker: Broker, *, resend_after_s: float) -> int:
    """Ring again where more deliveries are overdue than messages wait; return how many."""
    with database.transaction() as session:
        late = queries.overdue(session, by=timedelta(seconds=resend_after_s), limit=BATCH)
        try:
            if not late or len(late) <= broker.depth(names.QUEUE_WEBHOOKS):
                return 0  # the messages are there, the receivers are slow
        except (OperationalError, RedisError) as error:
            log.warning("the broker is away: %s", error)
            return 0
        for delivery_id in late:
            outbox.enqueue(session, names.TASK_DELIVER, names.QUEUE_WEBHOOKS, [delivery_id])
    return len(late)


def forget_ended(session: Session) -> None:
    """Delete deliveries that ended long ago from the logs."""
    queries.forget_ended(session, after=KEEP_ENDED)

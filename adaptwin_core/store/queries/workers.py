"""Rows of workers, which belong to no tenant: a process that does tasks says from time to time that it is there."""

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from adaptwin_core.store.tables import Worker


def seen(session: Session, worker_id: str, queues: Collection[str], *, forget_after: timedelta) -> None:
    """Note that a worker is there, and forget those that were not seen for long."""
    row = {"id": worker_id, "queues": sorted(queues), "seen_at": func.now()}
    told = insert(Worker).values(row)
    session.execute(told.on_conflict_do_update(index_elements=[Worker.id], set_=row))
    session.execute(delete(Worker).where(Worker.seen_at < func.now() - forget_after))


def num_seen(session: Session, queue: str, *, within: timedelta) -> int:
    """Count the workers of a queue that were seen lately."""
    query = select(func.count()).select_from(Worker).where(Worker.seen_at > func.now() - within)
    return session.scalar(query.where(Worker.queues.contains([queue]))) or 0

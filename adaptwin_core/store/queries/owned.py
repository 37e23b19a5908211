"""Reading a tenant's own rows. The rows of another tenant are answered as if they did not exist."""

from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from adaptwin_core.domain.errors import NotFound
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.store.tables import Dataset, Job, Model, Webhook

T = TypeVar("T", Job, Model, Dataset, Webhook)


def get(session: Session, scope: TenantScope, table: type[T], row_id: str, *, lock: bool = False) -> T:
    """Return one row; with `lock`, held against other writers until the transaction ends. Raises NotFound."""
    query = select(table).where(table.id == row_id, table.tenant_id == scope.tenant_id)
    if lock:
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    row = session.scalar(query)
    if row is None:
        raise NotFound(f"no such {table.__tablename__}: {row_id}")
    return row


def newest_first(
    session: Session, scope: TenantScope, table: type[T], *, after: str | None, limit: int, state: str | None = None
) -> Sequence[T]:
    """Return up to `limit` rows older than the row `after`; with `state`, only those in this state."""
    query = select(table).where(table.tenant_id == scope.tenant_id).order_by(table.id.desc()).limit(limit)
    if after is not None:
        query = query.where(table.id < after)
    if state is not None:
        query = query.where(table.__table__.c.state == state)
    if issubclass(table, Model | Dataset):
        query = query.where(table.deleted_at.is_(None))
    return session.scalars(query).all()

"""Rows of webhooks."""

from collections.abc import Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.store.tables import Webhook


def count(session: Session, scope: TenantScope) -> int:
    """Return how many webhooks a tenant has."""
    query = select(func.count()).select_from(Webhook).where(Webhook.tenant_id == scope.tenant_id)
    return session.scalar(query) or 0


def enabled(session: Session, scope: TenantScope) -> Sequence[Webhook]:
    """Return a tenant's webhooks that are enabled. None of them can be deleted until the transaction ends."""
    query = select(Webhook).where(Webhook.tenant_id == scope.tenant_id, Webhook.is_enabled).order_by(Webhook.id)
    return session.scalars(query.with_for_update(read=True, key_share=True)).all()


def locked(session: Session, webhook_id: str) -> Webhook | None:
    """Return a webhook as it is now, held until the transaction ends; None if it was deleted. For the courier."""
    return session.get(Webhook, webhook_id, with_for_update={"key_share": True}, populate_existing=True)


def remove(session: Session, scope: TenantScope, webhook_id: str) -> bool:
    """Delete a webhook with its log; tell whether there was one."""
    statement = delete(Webhook).where(Webhook.id == webhook_id, Webhook.tenant_id == scope.tenant_id)
    return session.execute(statement.returning(Webhook.id)).one_or_none() is not None

"""Tenants and their API keys."""

from sqlalchemy import func, or_, select, text, update
from sqlalchemy.orm import Session

from adaptwin_core.domain.errors import NotFound
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.store.tables import ApiKey, Tenant


def key_by_id(session: Session, key_id: str) -> ApiKey | None:
    """Return a key that still counts. The one query without a scope: it is how a scope is found."""
    return session.scalar(select(ApiKey).where(ApiKey.id == key_id, ApiKey.revoked_at.is_(None)))


def key(session: Session, scope: TenantScope, key_id: str) -> ApiKey:
    """Return one of the tenant's keys, revoked or not. Raises NotFound."""
    row = session.scalar(select(ApiKey).where(ApiKey.id == key_id, ApiKey.tenant_id == scope.tenant_id))
    if row is None:
        raise NotFound(f"there is no key {key_id}")
    return row


def note_key_use(session: Session, scope: TenantScope, key_id: str) -> None:
    """Set `last_used_at`, at most once a minute, so that frequent requests do not each write a row."""
    minute_ago = func.now() - text("interval '1 minute'")
    session.execute(
        update(ApiKey)
        .where(ApiKey.id == key_id, ApiKey.tenant_id == scope.tenant_id)
        .where(or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < minute_ago))
        .values(last_used_at=func.now())
        .execution_options(synchronize_session=False)
    )


def lock_tenant(session: Session, scope: TenantScope) -> None:
    """Hold the tenant's row until the transaction ends, so that nobody else adds to what it has meanwhile."""
    session.execute(select(Tenant.id).where(Tenant.id == scope.tenant_id).with_for_update(key_share=True))

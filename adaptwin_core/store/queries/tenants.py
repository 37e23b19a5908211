"""Tenants, as whoever runs the server sees them."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.store.tables import ApiKey, Tenant


def scope_by_name(session: Session, name: str) -> TenantScope | None:
    """Return the scope of the tenant called `name`. For the server's operator only: no request reaches it."""
    tenant_id = session.scalar(select(Tenant.id).where(Tenant.name == name))
    return TenantScope(tenant_id) if tenant_id is not None else None


def keys_of(session: Session, scope: TenantScope) -> Sequence[ApiKey]:
    """Return all keys of a tenant, revoked ones too, oldest first."""
    return session.scalars(select(ApiKey).where(ApiKey.tenant_id == scope.tenant_id).order_by(ApiKey.id)).all()

"""Whose things a query may see."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TenantScope:
    """Every public query takes one; there is no way to ask across tenants by accident."""

    tenant_id: str

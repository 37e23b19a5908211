"""The owner whose rows a query may see."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TenantScope:
    """One tenant. Every public query takes it, so that none can see the rows of another tenant by accident."""

    tenant_id: str

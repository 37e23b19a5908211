"""`adaptwin keys` makes, lists and revokes API keys."""

from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.orm import Session

from adaptwin_core.cli.service import DataDir, open_service
from adaptwin_core.domain.errors import NotFound
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.service import auth
from adaptwin_core.store.queries import tenants

app = typer.Typer(help="Make, list and revoke API keys.", no_args_is_help=True)

TenantName = Annotated[str, typer.Option("--tenant", help="Tenant that the key belongs to.")]


def ensure_tenant(session: Session, name: str) -> TenantScope:
    """Return the tenant called `name`, made if new."""
    return tenants.scope_by_name(session, name) or auth.create_tenant(session, name)


def _known(session: Session, tenant: str) -> TenantScope:
    scope = tenants.scope_by_name(session, tenant)
    if scope is None:
        raise NotFound(f"there is no tenant {tenant}")
    return scope


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What the key is for, such as laptop.")],
    tenant: TenantName = "local",
    data_dir: DataDir = Path("var"),
) -> None:
    """Make a key and print it. It cannot be shown again. A tenant that is new is made too."""
    service = open_service(data_dir)
    with service.database.transaction() as session:
        typer.echo(service.keys.create(session, ensure_tenant(session, tenant), name))


@app.command("list")
def list_keys(tenant: TenantName = "local", data_dir: DataDir = Path("var")) -> None:
    """List a tenant's keys, without their secrets."""
    with open_service(data_dir).database.transaction() as session:
        for key in tenants.keys_of(session, _known(session, tenant)):
            state = f"revoked {key.revoked_at:%F %T}" if key.revoked_at else "valid"
            used = f"last used {key.last_used_at:%F %T}" if key.last_used_at else "never used"
            typer.echo(f"{key.id}  {key.name}  {state}  {used}")


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="Id of the key, as `list` shows it: key_…")],
    tenant: TenantName = "local",
    data_dir: DataDir = Path("var"),
) -> None:
    """Revoke a key. It stops working at once."""
    with open_service(data_dir).database.transaction() as session:
        auth.revoke_key(session, _known(session, tenant), key_id)
    typer.echo(f"{key_id} is revoked")

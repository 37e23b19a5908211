"""`adaptwin keys` makes, lists and revokes API keys."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adaptwin_core.cli.printing import print_json
from adaptwin_core.cli.service import DataDir, open_service
from adaptwin_core.cli.service_options import AsJson
from adaptwin_core.domain.errors import NotFound

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from adaptwin_core.domain.scope import TenantScope

app = typer.Typer(help="Make, list and revoke API keys.", no_args_is_help=True)

TenantName = Annotated[str, typer.Option("--tenant", help="Tenant that the key belongs to.")]


def ensure_tenant(session: "Session", name: str) -> "TenantScope":
    """Return the tenant called `name`, made if new."""
    from adaptwin_core.service import auth
    from adaptwin_core.store.queries import tenants

    return tenants.scope_by_name(session, name) or auth.create_tenant(session, name)


def _known(session: "Session", tenant: str) -> "TenantScope":
    from adaptwin_core.store.queries import tenants

    scope = tenants.scope_by_name(session, tenant)
    if scope is None:
        raise NotFound(f"there is no tenant {tenant}")
    return scope


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What the key is for, such as laptop.")],
    tenant: TenantName = "local",
    data_dir: DataDir = Path("var"),
    as_json: AsJson = False,
) -> None:
    """Make a key and print it. It cannot be shown again. A tenant that is new is made too."""
    service = open_service(data_dir)
    with service.database.transaction() as session:
        key = service.keys.create(session, ensure_tenant(session, tenant), name)
    if as_json:
        print_json({"key": key})
    else:
        typer.echo(key)


@app.command("list")
def list_keys(tenant: TenantName = "local", data_dir: DataDir = Path("var"), as_json: AsJson = False) -> None:
    """List a tenant's keys, without their secrets."""
    service = open_service(data_dir)
    from adaptwin_core.store.queries import tenants

    with service.database.transaction() as session:
        keys = [
            {"id": key.id, "name": key.name, "revoked_at": key.revoked_at, "last_used_at": key.last_used_at}
            for key in tenants.keys_of(session, _known(session, tenant))
        ]
    if as_json:
        print_json(keys)
        return
    for key in keys:
        state = f"revoked {key['revoked_at']:%F %T}" if key["revoked_at"] else "valid"
        used = f"last used {key['last_used_at']:%F %T}" if key["last_used_at"] else "never used"
        typer.echo(f"{key['id']}  {key['name']}  {state}  {used}")


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="Id of the key, as `list` shows it: key_…")],
    tenant: TenantName = "local",
    data_dir: DataDir = Path("var"),
) -> None:
    """Revoke a key. It stops working at once."""
    service = open_service(data_dir)
    from adaptwin_core.service import auth

    with service.database.transaction() as session:
        auth.revoke_key(session, _known(session, tenant), key_id)
    typer.echo(f"{key_id} is revoked")

"""`adaptwin base` adds and lists the base models that jobs may start from."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adaptwin_core.cli.extras import needs
from adaptwin_core.cli.printing import print_json
from adaptwin_core.cli.service import DataDir, open_service
from adaptwin_core.cli.service_options import AsJson

if TYPE_CHECKING:
    from adaptwin_core.service.bootstrap import Service

app = typer.Typer(help="Add and list the base models that jobs may start from.", no_args_is_help=True)


def add_base_model(service: "Service", text: str) -> str:
    """Fetch or convert the model that a person named, register it, and return its short name with its digest."""
    with needs("models"):
        from adaptwin_core.ml.base.models import describe, resolve
    from adaptwin_core.ml.base.sources import canonical_source, licence_of, short_name
    from adaptwin_core.service import base_models

    source = canonical_source(text)
    found = describe(resolve(source, service.settings.models_dir))
    with service.database.transaction() as session:
        row = base_models.register(
            session,
            id=short_name(source),
            source=source,
            digest=found.digest,
            shape=found.shape,
            languages=found.languages,
            licence=licence_of(source),
        )
        heard = "English only" if len(found.languages) == 1 else f"{len(found.languages)} languages"
        size = f"{found.shape.total_params / 1e6:.1f} M parameters"
        return f"{row.id}  {size}  {heard}  sha256 {found.digest[:12]}…"


@app.command()
def add(
    source: Annotated[
        str, typer.Argument(help="Name of a packaged model, a local folder, or OWNER/NAME@REVISION on the hub.")
    ],
    data_dir: DataDir = Path("var"),
) -> None:
    """Register a base model. The workers must be able to read the same source."""
    typer.echo(add_base_model(open_service(data_dir), source))


@app.command("list")
def list_models(data_dir: DataDir = Path("var"), as_json: AsJson = False) -> None:
    """List the registered base models."""
    service = open_service(data_dir)
    from adaptwin_core.service import base_models

    with service.database.transaction() as session:
        found = [
            {"id": row.id, "source": row.source, "digest": row.digest} for row in base_models.list_base_models(session)
        ]
    if as_json:
        print_json(found)
        return
    for row in found:
        typer.echo(f"{row['id']}  {row['source']}  sha256 {row['digest'][:12]}…")

"""`adaptwin base` adds and lists the base models that jobs may start from."""

from pathlib import Path
from typing import Annotated

import typer

from adaptwin_core.cli.keys import DataDir
from adaptwin_core.local import environment
from adaptwin_core.ml.base.models import describe, resolve
from adaptwin_core.ml.base.sources import canonical_source, licence_of, short_name
from adaptwin_core.service import base_models
from adaptwin_core.store.engine import unit_of_work
from adaptwin_core.store.settings import get_settings

app = typer.Typer(help="Add and list the base models that jobs may start from.", no_args_is_help=True)


def add_base_model(text: str) -> str:
    """Fetch or convert the model that a person named, register it, and return its short name with its digest."""
    settings = get_settings()
    source = canonical_source(text)
    found = describe(resolve(source, settings.model_cache_dir or settings.data_dir / "models"))
    with unit_of_work() as session:
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
    environment.load(data_dir)
    typer.echo(add_base_model(source))


@app.command("list")
def list_models(data_dir: DataDir = Path("var")) -> None:
    """List the registered base models."""
    environment.load(data_dir)
    with unit_of_work() as session:
        for row in base_models.list_base_models(session):
            typer.echo(f"{row.id}  {row.source}  sha256 {row.digest[:12]}…")

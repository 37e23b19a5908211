"""The service of one data folder, or the one that the environment names, for commands that work on it."""

from pathlib import Path
from typing import Annotated

import typer

from adaptwin_core.local import environment
from adaptwin_core.service.bootstrap import Service, bootstrap
from adaptwin_core.store.settings import Settings

DataDir = Annotated[
    Path, typer.Option(help="Folder of `adaptwin up`. DATABASE_URL, if set, names the database instead.")
]


def open_service(data_dir: Path) -> Service:
    """Return the service. Raises InvalidInput if neither the folder nor the environment names a database."""
    environment.load(data_dir)
    return bootstrap(Settings())

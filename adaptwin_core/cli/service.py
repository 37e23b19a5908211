"""The service of one data folder, or the one that the environment names, for commands that work on it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adaptwin_core.cli.extras import needs
from adaptwin_core.local import environment

if TYPE_CHECKING:
    from adaptwin_core.service.bootstrap import Service

DataDir = Annotated[
    Path, typer.Option(help="Folder of `adaptwin up`. DATABASE_URL, if set, names the database instead.")
]


def open_service(data_dir: Path) -> "Service":
    """Return the service.

    Raises:
        InvalidInput: neither the folder nor the environment names a database.
        CommandFailed: the packages of the service are not installed.
    """
    with needs("service"):
        from adaptwin_core.service.bootstrap import bootstrap
        from adaptwin_core.store.settings import Settings

    environment.load(data_dir)
    return bootstrap(Settings())

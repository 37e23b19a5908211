"""Bring a database to the tables this version of the code expects."""

from pathlib import Path

from alembic import command
from alembic.config import Config

import migrations

HEAD = "head"


def config(database_url: str) -> Config:
    """Return Alembic's configuration for one database, wherever the package is installed."""
    alembic = Config()
    alembic.set_main_option("script_location", str(Path(next(iter(migrations.__path__)))))
    alembic.attributes["database_url"] = database_url
    return alembic


def upgrade(database_url: str, revision: str = HEAD) -> None:
    """Apply every migration up to `revision`; processes that call this together take turns."""
    command.upgrade(config(database_url), revision)


def downgrade(database_url: str, revision: str) -> None:
    """Undo migrations down to `revision`; "base" undoes all."""
    command.downgrade(config(database_url), revision)

"""The migrations make exactly the tables that the code declares, and can be undone."""

import psycopg
import pytest
from alembic import command
from sqlalchemy import create_engine, inspect, make_url

from adaptwin_core.local.servers import ServerUrls
from adaptwin_core.store import migrate
from adaptwin_core.store.tables import Base


@pytest.fixture
def empty_database(servers: ServerUrls):
    """A database beside the tests' own, so that undoing tables disturbs nobody."""
    url = make_url(servers.database_url)
    admin = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS adaptwin_migrations")
        connection.execute("CREATE DATABASE adaptwin_migrations")
        yield url.set(database="adaptwin_migrations").render_as_string(hide_password=False)
        connection.execute("DROP DATABASE adaptwin_migrations WITH (FORCE)")


def table_names(url: str) -> set[str]:
    engine = create_engine(url)
    try:
        return set(inspect(engine).get_table_names())
    finally:
        engine.dispose()


def test_up_down_up(empty_database: str):
    expected = set(Base.metadata.tables)
    migrate.upgrade(empty_database)
    assert table_names(empty_database) == expected | {"alembic_version"}
    migrate.downgrade(empty_database, "base")
    assert table_names(empty_database) == {"alembic_version"}
    migrate.upgrade(empty_database)
    assert table_names(empty_database) == expected | {"alembic_version"}


def test_no_drift_between_tables_and_migrations(empty_database: str):
    migrate.upgrade(empty_database)
    command.check(migrate.config(empty_database))  # raises when autogenerate would write anything

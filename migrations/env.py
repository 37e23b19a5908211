"""How Alembic runs here: one migration at a time across all processes, and never waiting long for a busy table."""

from alembic import context
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from adaptwin_core.store.settings import Settings
from adaptwin_core.store.tables import Base

ADVISORY_LOCK = 7_237_001  # any fixed number; services that start together take turns under it

url = context.config.attributes.get("database_url") or Settings().database_url
engine = create_engine(url, poolclass=NullPool)

with engine.connect() as connection:
    connection.execute(
        text("SET lock_timeout = '10s'")
    )  # a migration that cannot get its table gives way to the service
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
    connection.commit()
    context.configure(
        connection=connection, target_metadata=Base.metadata, compare_type=True, compare_server_default=True
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()

"""The database connection: one engine a process, one transaction a unit of work."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session, sessionmaker

from adaptwin_core.store.settings import get_settings


@lru_cache
def get_engine() -> Engine:
    """Return the process's engine. Connections are checked before use, so a restarted server heals the pool."""
    return create_engine(
        get_settings().database_url,
        pool_pre_ping=True,
        pool_size=10,
        max_overflow=20,
        connect_args={"connect_timeout": 10, "options": "-c timezone=UTC -c lock_timeout=15s -c statement_timeout=60s"},
    )


@lru_cache
def _session_factory() -> sessionmaker[Session]:
    return sessionmaker(get_engine(), expire_on_commit=False)


@contextmanager
def unit_of_work() -> Iterator[Session]:
    """Yield a session; commit when the body ends, roll back when it raises. Nothing else commits."""
    with _session_factory().begin() as session:
        yield session

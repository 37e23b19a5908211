"""The database of one process: a pool of connections, and transactions on them."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, sessionmaker


class Database:
    """Connects when it is first asked. Connections are checked before use, so a restarted server heals the pool."""

    def __init__(self, url: str) -> None:
        self.engine = create_engine(
            url,
            pool_pre_ping=True,
            pool_size=10,
            max_overflow=20,
            connect_args={
                "connect_timeout": 10,
                "options": "-c timezone=UTC -c lock_timeout=15s -c statement_timeout=60s",
            },
        )
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Yield a session; commit when the body ends, roll back when it raises. Nothing else commits."""
        with self._sessions.begin() as session:
            yield session

    def check(self) -> None:
        """Raise SQLAlchemy's OperationalError unless the server answers."""
        with self.engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    @contextmanager
    def alone(self, key: int) -> Iterator[bool]:
        """Hold the lock of this number among all processes, for the context; yield whether it was free.

        The lock belongs to a connection of its own: no transaction stays open meanwhile.
        """
        with self.engine.connect() as connection:
            is_free = bool(connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": key}))
            connection.commit()
            try:
                yield is_free
            finally:
                if is_free:
                    connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})

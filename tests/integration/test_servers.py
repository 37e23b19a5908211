"""The embedded servers: their data outlives them, and a killed owner does not block the next start."""

import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from adaptwin_core.local.servers import running_servers

HOLD = """
import sys, time
from pathlib import Path
from adaptwin_core.local.servers import running_servers
with running_servers(Path(sys.argv[1])) as urls:
    print(urls.redis_url, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="adaptwin-test-") as name:
        yield Path(name)


def test_a_killed_owner_loses_no_data_and_blocks_nobody(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)
    owner = subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    first_redis_url = owner.stdout.readline().strip()
    redis.from_url(first_redis_url).set("kept", "yes")
    redis.from_url(first_redis_url).bgrewriteaof()
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    with running_servers(folder) as urls:
        client = redis.from_url(urls.redis_url)
        assert client.get("kept") == b"yes"
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        with pytest.raises(redis.ConnectionError):  # two servers never share one folder
            redis.from_url(first_redis_url).ping()
        with psycopg.connect(urls.database_url.replace("+psycopg", "")) as connection:
            assert connection.execute("SELECT current_database()").fetchone() == ("adaptwin",)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(urls.database_url.replace("+psycopg", ""))
    with pytest.raises(redis.ConnectionError):
        redis.from_url(urls.redis_url).ping()


def test_servers_named_by_the_environment_are_used_as_they_are(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://somebody@elsewhere/theirs")
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere:6379/3")
    with running_servers(folder) as urls:
        assert urls.database_url == "postgresql+psycopg://somebody@elsewhere/theirs"
        assert urls.redis_url == "redis://elsewhere:6379/3"
    assert list(folder.iterdir()) == []

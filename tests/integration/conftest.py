"""The API as it runs: a uvicorn process on a free port, one for the session, and principals to talk to it with."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.local.servers import ServerUrls
from adaptwin_core.service import auth
from tests.running_service import free_port
from tests.service_under_test import SECRET_KEY, changed, service, unit_of_work
from tests.waiting import wait_until

START_TIMEOUT_S = 30.0
WEBHOOK_NETWORK = "127.0.0.1/32"  # 127.0.0.2 is an address that is not allowed


@dataclass
class ApiProcess:
    """A running API: where it answers, where its files are, and the process itself."""

    url: str
    data_dir: Path
    process: subprocess.Popen[bytes]

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    def rss_bytes(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS"))

    @contextmanager
    def growing_less_than(self, num_bytes: int) -> Iterator[None]:
        """Check that the memory of the process grows by less than this."""
        before, peak, done = self.rss_bytes(), 0, threading.Event()

        def watch() -> None:
            nonlocal peak
            while not done.wait(0.02):
                peak = max(peak, self.rss_bytes())

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()
        assert peak - before < num_bytes

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)


def start_api(urls: ServerUrls, data_dir: Path, *, port: int | None = None, **env: str) -> ApiProcess:
    """Start an API and wait until it answers."""
    if port is None:
        port = free_port()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "uvicorn", "--factory", "api.main:create_app", "--port", str(port)),
            *("--no-access-log", "--log-level", "warning", "--timeout-graceful-shutdown", "2"),
        ],
        env=os.environ
        | {
            "DATABASE_URL": urls.database_url,
            "REDIS_URL": urls.redis_url,
            "ADAPTWIN_DATA_DIR": str(data_dir),
            "ADAPTWIN_SECRET_KEY": SECRET_KEY,
            "ADAPTWIN_MIN_FREE_DISK_BYTES": "0",
            "ADAPTWIN_WEBHOOK_PRIVATE_NETWORKS": WEBHOOK_NETWORK,
        }
        | env,
    )
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        assert process.poll() is None, "the API ended while starting"
        try:
            return httpx.get(f"{url}/v1/health/live").is_success
        except httpx.TransportError:
            return False

    wait_until(answers, START_TIMEOUT_S, "the start of the API")
    return ApiProcess(url, data_dir, process)


@pytest.fixture(scope="session")
def api_process(servers: ServerUrls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiProcess]:
    api = start_api(servers, tmp_path_factory.mktemp("api-data"))
    yield api
    api.stop()


@pytest.fixture
def api(api_process: ApiProcess, database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiProcess]:
    """The session's API over a database that was just emptied; this process sees the same files."""
    monkeypatch.setenv("ADAPTWIN_DATA_DIR", str(api_process.data_dir))
    with changed(data_dir=api_process.data_dir):
        yield api_process


@dataclass
class Principal:
    """Somebody with a key."""

    scope: TenantScope
    token: str
    client: httpx.Client

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


def make_principal(api: ApiProcess, name: str) -> Principal:
    with unit_of_work() as session:
        scope = auth.create_tenant(session, name)
        token = service().keys.create(session, scope, "test")
    client = httpx.Client(base_url=api.url, headers={"Authorization": f"Bearer {token}"}, timeout=30)
    return Principal(scope, token, client)


@pytest.fixture
def owner(api: ApiProcess) -> Iterator[Principal]:
    principal = make_principal(api, "owner")
    yield principal
    principal.client.close()


@pytest.fixture
def dataset_id(owner: Principal) -> str:
    """An open dataset of the owner."""
    from tests.integration.tus_client import new_dataset  # it imports this file

    return new_dataset(owner)


@pytest.fixture
def stranger(api: ApiProcess) -> Iterator[Principal]:
    principal = make_principal(api, "stranger")
    yield principal
    principal.client.close()

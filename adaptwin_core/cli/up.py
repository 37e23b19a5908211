"""`adaptwin up` runs the whole service on one machine, from the database to the workers."""

import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Never

import typer

from adaptwin_core.cli.base import add_base_model
from adaptwin_core.cli.extras import needs
from adaptwin_core.cli.keys import ensure_tenant
from adaptwin_core.domain.errors import Conflict, Unauthorized
from adaptwin_core.local import environment
from adaptwin_core.local.published import KEY_FILE, publish_url
from adaptwin_core.local.supervisor import POLL_S, Component, Supervisor

if TYPE_CHECKING:
    from adaptwin_core.service.bootstrap import Service

LOCAL_TENANT = "local"
DEFAULT_BASE_MODEL = "package:whisper-tiny.en"
READY_LINE = "AdaPTwin is ready"


def up(
    data_dir: Annotated[Path, typer.Option(help="Folder that everything is kept in.")] = Path("var"),
    host: Annotated[str, typer.Option(help="Address that the API listens on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port that the API listens on.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="Worker processes, which share the blocks of a job.")] = 2,
    base_model: Annotated[
        list[str] | None,
        typer.Option(
            help="Base model to register: a packaged model, a folder or a hub id. May be given several times."
        ),
    ] = None,
) -> None:
    """Run the whole service on this machine.

    It starts the API, the workers, PostgreSQL and Valkey. DATABASE_URL and REDIS_URL name servers of your own instead.
    """
    with needs("service"):
        from adaptwin_core.local.servers import running_servers
        from adaptwin_core.service.bootstrap import bootstrap
        from adaptwin_core.store import migrate
        from adaptwin_core.store.settings import Settings
    with needs("models"):  # the workers', told before anything is started
        from adaptwin_core.ml.base import models  # noqa: F401
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    data_dir = data_dir.resolve()
    data_dir.mkdir(parents=True, exist_ok=True)
    _require_free(host, port)
    started = time.monotonic()
    try:
        with running_servers(data_dir) as urls:
            typer.echo(f"{'servers':<10} ready after {time.monotonic() - started:.1f} s")
            shared = {
                "DATABASE_URL": urls.database_url,
                "REDIS_URL": urls.redis_url,
                environment.SECRET_KEY: environment.secret_key(data_dir),
                "ADAPTWIN_DATA_DIR": str(data_dir),
            }
            os.environ.update(shared)
            environment.save(data_dir, shared)
            service = bootstrap(Settings())
            migrate.upgrade(urls.database_url)
            for source in base_model or [DEFAULT_BASE_MODEL]:
                typer.echo(f"{'base model':<10} {add_base_model(service, source)}")
            key_file = _ensure_key(service, data_dir)
            publish_url(data_dir, host, port)
            with Supervisor(components(host, port, workers), data_dir / "logs", typer.echo) as supervisor:
                pages = "listen at /listen, docs at /docs"
                _watch(supervisor, f"{READY_LINE} at http://{host}:{port} ({pages}), API key in {key_file}")
    except KeyboardInterrupt:
        typer.echo("stopped")


def components(host: str, port: int, num_workers: int) -> list[Component]:
    """Return the service's own processes, the same that docker-compose runs."""
    python = [sys.executable, "-m"]
    celery = [*python, "celery", "--app", "worker.app"]
    threads = str(max(1, (os.cpu_count() or 1) // num_workers))
    busy = {
        "OMP_NUM_THREADS": threads,
        "OMP_WAIT_POLICY": "PASSIVE",  # threads that spin while they wait would take the cores of other workers
        "ADAPTWIN_BLOCK_THREADS": os.environ.get("ADAPTWIN_BLOCK_THREADS", threads),
    }
    api = ["uvicorn", "--factory", "api.main:create_app", "--host", host, "--port", str(port), "--no-access-log"]
    api += ["--timeout-graceful-shutdown", "5"]  # an open event stream would delay the end for ever

    def worker(name: str, queues: str, *, pool: Sequence[str] = ("solo",)) -> list[str]:
        # solo: one task at a time in the process itself, so torch is loaded once and not for every task
        options = ["--pool", *pool, "--queues", queues, "--hostname", f"{name}@%h", "--loglevel", "INFO"]
        return [*celery, "worker", *options, "--without-gossip", "--without-mingle"]

    return [
        Component("api", [*python, *api], "Uvicorn running on"),
        Component("platform", worker("platform", "platform"), " ready."),
        # threads: they wait for receivers, most of the time
        Component("webhooks", worker("webhooks", "webhooks", pool=("threads", "--concurrency", "8")), " ready."),
        *(
            Component(f"model-{i}", worker(f"model-{i}", "model,audio"), " ready.", busy)
            for i in range(1, num_workers + 1)
        ),
        Component("beat", [*celery, "beat", "--loglevel", "INFO"], "beat: Starting"),
    ]


def _watch(supervisor: Supervisor, ready_line: str) -> Never:
    said = False
    while True:
        supervisor.watch()
        if supervisor.all_ready and not said:
            said = True
            typer.echo(ready_line)
        time.sleep(POLL_S)


def _interrupt(_number: int, _frame: FrameType | None) -> Never:
    """Begin to stop. A second signal is ignored, so that it cannot interrupt the clean-up."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _require_free(host: str, port: int) -> None:
    try:
        socket.create_server((host, port)).close()
    except OSError as fault:
        raise Conflict(f"cannot listen on {host}:{port} ({fault.strerror}): choose another --port") from fault


def _ensure_key(service: "Service", data_dir: Path) -> Path:
    """Return the file with this folder's API key, making both tenant and key if it has none that is valid."""
    key_file = data_dir / KEY_FILE
    with service.database.transaction() as session:
        try:
            service.keys.authenticate(session, key_file.read_text().strip())
        except (FileNotFoundError, Unauthorized):
            key = service.keys.create(session, ensure_tenant(session, LOCAL_TENANT), f"first {secrets.token_hex(3)}")
            environment.write_private(key_file, key)
            typer.echo(f"{'API key':<10} {key}")
    return key_file

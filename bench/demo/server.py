"""`adaptwin up` as a subprocess of the demo."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from adaptwin_core.client import Client
from bench.demo.failure import DemoFailed
from bench.demo.settings import NUM_WORKERS, SERVER_START_S

READY = "AdaPTwin is ready"
STOP_S = 60.0


@contextmanager
def running_service(folder: Path, model: str, model_cache: Path, say: Callable[[str], None]) -> Iterator[Client]:
    """Start the whole service with fresh data in `folder`, give a client of it, and stop it afterwards.

    Raises:
        DemoFailed: it did not become ready.
    """
    shutil.rmtree(folder, ignore_errors=True)  # results are kept by content: an old one would be reused, and not timed
    folder.mkdir(parents=True)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    # The demo never touches a database or store that the environment may name.
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("ADAPTWIN_S3", "ADAPTWIN_SEC"))
    }
    for name in ("DATABASE_URL", "REDIS_URL", "ADAPTWIN_DATABASE_URL", "ADAPTWIN_REDIS_URL"):
        environment.pop(name, None)
    environment["ADAPTWIN_MODEL_CACHE_DIR"] = str(model_cache.resolve())
    command = [sys.executable, "-u", "-m", "adaptwin_core.cli.main", "up", "--data-dir", str(folder)]
    command += ["--port", str(port), "--workers", str(NUM_WORKERS), "--base-model", model]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        start_new_session=True,  # Ctrl-C reaches the demo, which then stops the service in order
    )
    is_ready = threading.Event()
    watcher = threading.Thread(target=_relay, args=(process, is_ready, say), daemon=True)
    watcher.start()
    try:
        if not is_ready.wait(SERVER_START_S) or process.poll() is not None:
            raise DemoFailed(f"the service did not become ready; see the lines above and the logs in {folder / 'logs'}")
        with Client(f"http://127.0.0.1:{port}", (folder / "api_key").read_text()) as client:
            yield client
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
        watcher.join(STOP_S)


def _relay(process: "subprocess.Popen[str]", is_ready: threading.Event, say: Callable[[str], None]) -> None:
    for line in process.stdout or ():
        if not line.startswith("API key"):
            say("  " + line.rstrip())
        if READY in line:
            is_ready.set()
    is_ready.set()  # it ended: nothing more to wait for

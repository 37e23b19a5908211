"""A program that imports the client loads nothing of the service, and no torch."""

import subprocess
import sys

FORBIDDEN = {"torch", "transformers", "numpy", "sqlalchemy", "celery", "redis", "fastapi", "starlette", "soundfile"}
ROOMS = {f"adaptwin_core.{room}" for room in ("ml", "speech", "store", "service", "local", "cli")}


def test_the_client_loads_what_it_needs_only() -> None:
    code = "import sys, adaptwin_core.client; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "adaptwin_core.client.sync_client" in loaded
    assert loaded.isdisjoint(FORBIDDEN | ROOMS | {"api", "worker"})

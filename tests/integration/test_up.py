"""`adaptwin up` as a person runs it: to ready, through a killed worker, to a clean stop, and again."""

import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.running_service import Service, without_settings


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="adaptwin-up-") as folder:
        yield Path(folder)


@pytest.mark.weights
def test_up_serves_survives_a_killed_worker_and_leaves_nothing_behind(data_dir: Path) -> None:
    service = Service(data_dir)
    try:
        key = service.key
        assert (data_dir / "api_key").stat().st_mode & 0o777 == 0o600
        assert (data_dir / "url").read_text() == f"{service.url}\n"
        api = service.client
        assert api.get("/v1/health/ready").json()["broker"] == "ok"
        assert [model["id"] for model in api.get("/v1/base-models").json()["items"]] == ["whisper-tiny.en"]

        listed = cli(["keys", "list", "--data-dir", str(data_dir)])
        assert key.split("_")[2] in listed
        assert key not in listed
        second = cli(["keys", "create", "laptop", "--data-dir", str(data_dir)]).strip()
        other = {"Authorization": f"Bearer {second}"}
        assert api.get("/v1/datasets", headers=other).status_code == 200
        cli(["keys", "revoke", second[5:35], "--data-dir", str(data_dir)])
        assert api.get("/v1/datasets", headers=other).status_code == 401

        service.workers()[0].kill()
        service.wait_for("model-1    ended with code -9")
        service.wait_for("model-1    ready")
        left = service.processes()
        assert len(left) >= 5
    finally:
        service.stop()
    _, alive = psutil.wait_procs(left, timeout=15)
    assert alive == []

    again = Service(data_dir)
    try:
        assert not any(line.startswith("API key ") for line in again.lines)
        assert again.key == key
        assert again.client.get("/v1/datasets").status_code == 200
    finally:
        assert again.stop(signal.SIGINT) == 0


def cli(arguments: list[str]) -> str:
    command = [sys.executable, "-m", "adaptwin_core.cli.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=without_settings()).stdout


def test_a_taken_port_and_a_missing_server_are_one_sentence(data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = ["up", "--data-dir", str(data_dir), "--port", str(taken.getsockname()[1])]
        with pytest.raises(subprocess.CalledProcessError) as refused:
            cli(command)
    assert "choose another --port" in refused.value.stderr
    assert "Traceback" not in refused.value.stderr
    started = time.monotonic()
    with pytest.raises(subprocess.CalledProcessError) as refused:
        cli(["keys", "list", "--data-dir", str(data_dir)])
    assert "start `adaptwin up" in refused.value.stderr
    assert time.monotonic() - started < 30

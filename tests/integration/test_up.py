"""`adaptwin up` as a person runs it: to ready, through a killed worker, to a clean stop, and again."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    hidden = {"DATABASE_URL", "REDIS_URL"}
    return {name: value for name, value in os.environ.items() if name not in hidden and "ADAPTWIN" not in name}


class Service:
    def __init__(self, data_dir: Path, environment: dict[str, str]) -> None:
        self.port, self.data_dir = free_port(), data_dir
        command = [sys.executable, "-u", "-m", "adaptwin_core.cli.main", "up", "--data-dir", str(data_dir)]
        self.process = subprocess.Popen(
            [*command, "--port", str(self.port), "--workers", "1"], stdout=subprocess.PIPE, text=True, env=environment
        )
        self.lines: list[str] = []

    def wait_for(self, words: str) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if words in line:
                return line
        raise AssertionError(f"{words!r} never came: {self.lines}")

    def processes(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="adaptwin-up-") as folder:
        yield Path(folder)


@pytest.mark.weights
def test_up_serves_survives_a_killed_worker_and_leaves_nothing_behind(
    data_dir: Path, environment: dict[str, str]
) -> None:
    service = Service(data_dir, environment)
    try:
        service.wait_for("AdaPTwin is ready")
        key = (data_dir / "api_key").read_text()
        assert (data_dir / "api_key").stat().st_mode & 0o777 == 0o600
        api = httpx.Client(base_url=f"http://127.0.0.1:{service.port}", headers={"Authorization": f"Bearer {key}"})
        assert api.get("/v1/health/ready").json()["broker"] == "ok"
        assert [model["id"] for model in api.get("/v1/base-models").json()["items"]] == ["whisper-tiny.en"]

        listed = cli(["keys", "list", "--data-dir", str(data_dir)], environment)
        assert key.split("_")[2] in listed
        assert key not in listed
        second = cli(["keys", "create", "laptop", "--data-dir", str(data_dir)], environment).strip()
        other = {"Authorization": f"Bearer {second}"}
        assert api.get("/v1/datasets", headers=other).status_code == 200
        cli(["keys", "revoke", second[5:35], "--data-dir", str(data_dir)], environment)
        assert api.get("/v1/datasets", headers=other).status_code == 401

        worker = next(process for process in service.processes() if "model,audio" in process.cmdline())
        worker.kill()
        service.wait_for("model-1    ended with code -9")
        service.wait_for("model-1    ready")
        left = service.processes()
        assert len(left) >= 5
    finally:
        service.process.send_signal(signal.SIGTERM)
        service.process.wait(60)
    _, alive = psutil.wait_procs(left, timeout=15)
    assert alive == []

    again = Service(data_dir, environment)
    try:
        again.wait_for("AdaPTwin is ready")
        assert not any(line.startswith("API key ") for line in again.lines)
        answer = httpx.get(f"http://127.0.0.1:{again.port}/v1/datasets", headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == 200
    finally:
        again.process.send_signal(signal.SIGINT)
        assert again.process.wait(60) == 0


def cli(arguments: list[str], environment: dict[str, str]) -> str:
    command = [sys.executable, "-m", "adaptwin_core.cli.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout


def test_a_taken_port_and_a_missing_server_are_one_sentence(data_dir: Path, environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = ["up", "--data-dir", str(data_dir), "--port", str(taken.getsockname()[1])]
        with pytest.raises(subprocess.CalledProcessError) as refused:
            cli(command, environment)
    assert "choose another --port" in refused.value.stderr
    assert "Traceback" not in refused.value.stderr
    started = time.monotonic()
    with pytest.raises(subprocess.CalledProcessError) as refused:
        cli(["keys", "list", "--data-dir", str(data_dir)], environment)
    assert "start `adaptwin up" in refused.value.stderr
    assert time.monotonic() - started < 30

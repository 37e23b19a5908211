"""The whole service as a person runs it, and a person's client, which knows REST and nothing else."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
from tusclient.client import TusClient

# These make a job of few steps.
SPEC = {
    "layer_steps": 2,
    "layer_windows": 2,
    "calibration_windows": 2,
    "personal_steps": 2,
    "tune_steps": 2,
    "scale_steps": 2,
    "lora_rank": 4,
}
# A killed worker is noticed soon. One thread a task: sums come out alike everywhere, and no thread waits for another.
QUICK = {
    "ADAPTWIN_LEASE_S": "6",
    "ADAPTWIN_HEARTBEAT_S": "1",
    "ADAPTWIN_SWEEP_S": "0.5",
    "ADAPTWIN_BLOCK_THREADS": "1",
    "ADAPTWIN_STAGE_THREADS": "1",
}
POLL_S = 0.1
PROGRAM = (sys.executable, "-m", "adaptwin_core.cli.main")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def without_settings() -> dict[str, str]:
    """Return the environment without what would set the service."""
    hidden = {"DATABASE_URL", "REDIS_URL"}
    return {name: value for name, value in os.environ.items() if name not in hidden and "ADAPTWIN" not in name}


class Service:
    """`adaptwin up` in a folder of its own."""

    def __init__(
        self,
        folder: Path,
        *options: str,
        num_workers: int = 1,
        program: Sequence[str] = PROGRAM,
        cwd: Path | None = None,
        **settings: str,
    ) -> None:
        """Start it, and wait until it says that it is ready."""
        self.folder, self.port, self.lines = folder, free_port(), list[str]()
        command = [*program, "up", "--data-dir", str(folder)]
        command += ["--port", str(self.port), "--workers", str(num_workers), *options]
        environment = without_settings() | {"PYTHONUNBUFFERED": "1"} | settings
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=cwd)
        self.wait_for("AdaPTwin is ready")
        self.url = f"http://127.0.0.1:{self.port}"
        self.key = (folder / "api_key").read_text().strip()
        self.client = httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {self.key}"}, timeout=30)

    def wait_for(self, words: str) -> str:
        """Return the next line that it prints with these words."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if words in line:
                return line
        raise AssertionError(f"{words!r} never came: {''.join(self.lines)}")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end, and return its exit status."""
        self.client.close()
        self.process.send_signal(how)
        self.process.communicate(timeout=60)
        return self.process.returncode

    def processes(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def workers(self) -> list[psutil.Process]:
        """Return the processes that do a job's tasks."""
        return [child for child in self.processes() if "model,audio" in child.cmdline()]

    def upload(self, name: str, speech: Path) -> str:
        """Send a folder of speech, seal it, wait until it is ready; return the dataset's id."""
        dataset = self._created("/v1/datasets", {"name": name})["id"]
        tus = TusClient(f"{self.url}/v1/uploads", headers={"Authorization": f"Bearer {self.key}"})
        for path in sorted(speech.iterdir()):
            with path.open("rb") as file:
                sent = {"dataset": dataset, "filename": path.name}
                tus.uploader(file_stream=file, chunk_size=1 << 20, metadata=sent).upload()
        assert self.client.post(f"/v1/datasets/{dataset}/seal").is_success
        assert self.until(f"/v1/datasets/{dataset}", {"ready", "failed"}, 120)["state"] == "ready"
        return dataset

    def submit(self, dataset: str, general: str | None = None, **spec: Any) -> str:
        base = self.client.get("/v1/base-models").json()["items"][0]["id"]
        body = {"dataset_id": dataset, "general_dataset_id": general, "base_model": base, "spec": SPEC | spec}
        body["accept_little"] = True  # the sets of these tests are tiny
        return self._created("/v1/jobs", body)["id"]

    def blocks(self, job: str) -> list[dict[str, Any]]:
        """Return the block tasks of a job."""
        stages = self.client.get(f"/v1/jobs/{job}").json()["stages"]
        tasks: list[dict[str, Any]] = next(stage["tasks"] for stage in stages if stage["stage"] == "factorize")
        return tasks

    def finish(self, job: str, timeout_s: float = 300) -> dict[str, Any]:
        """Wait for the job's end and return its model's manifest."""
        ended = self.until(f"/v1/jobs/{job}", {"succeeded", "failed", "cancelled"}, timeout_s)
        assert ended["state"] == "succeeded", ended["error"]
        self.model_id = ended["model_id"]
        return self.client.get(f"/v1/models/{self.model_id}").json()["manifest"]

    def download(self, manifest: dict[str, Any], out: Path) -> Path:
        out.mkdir()
        for name in manifest["files"]:
            answer = self.client.get(f"/v1/models/{self.model_id}/files/{name}")
            assert answer.status_code == 200, answer.text
            (out / name).write_bytes(answer.content)
        return out

    def export(self, form: str, out: Path, timeout_s: float) -> dict[str, Any]:
        """Have the model made in a form, and download that."""
        where = f"/v1/models/{self.model_id}/exports/{form}"
        assert self.client.post(f"/v1/models/{self.model_id}/exports", json={"format": form}).status_code == 202
        made = self.until(where, {"ready", "refused", "failed"}, timeout_s)
        assert made["state"] == "ready", made
        for name in made["files"]:
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            (out / name).write_bytes(self.client.get(f"{where}/files/{name}").content)
        return made

    def until(self, path: str, states: set[str], timeout_s: float) -> dict[str, Any]:
        """Ask until what is at this path is in one of these states; return it."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            found: dict[str, Any] = self.client.get(path).json()
            if found["state"] in states:
                return found
            time.sleep(POLL_S)
        raise AssertionError(f"{path} is still {found['state']} after {timeout_s} s: {json.dumps(found)[:2000]}")

    def _created(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.client.post(path, json=body)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made


@contextmanager
def running_service(base_model: str, num_workers: int = 2) -> Iterator[Service]:
    """Run a service with short leases until the context ends."""
    with tempfile.TemporaryDirectory(prefix="adaptwin-e2e-") as folder:
        service = Service(Path(folder), "--base-model", base_model, num_workers=num_workers, **QUICK)
        try:
            yield service
        finally:
            service.stop()

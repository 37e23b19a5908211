"""The whole service as a person runs it, and a person's client, which knows REST and nothing else."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import pytest
import soundfile
from tusclient.client import TusClient

SPEC = {
    "layer_steps": 2,
    "layer_windows": 2,
    "calibration_windows": 2,
    "personal_steps": 2,
    "tune_steps": 2,
    "scale_steps": 2,
    "lora_rank": 4,
}
POLL_S = 0.3


class Service:
    """`adaptwin up` in a folder of its own, with quick leases so that a killed worker is noticed soon."""

    def __init__(
        self, folder: Path, base_model: str, num_workers: int = 2, settings: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        hidden = {"DATABASE_URL", "REDIS_URL"}
        env = {name: value for name, value in os.environ.items() if name not in hidden and "ADAPTWIN" not in name}
        env |= {"ADAPTWIN_LEASE_S": "6", "ADAPTWIN_HEARTBEAT_S": "1", "ADAPTWIN_SWEEP_S": "1"} | dict(settings or {})
        command = [sys.executable, "-u", "-m", "adaptwin_core.cli.main", "up", "--data-dir", str(folder)]
        command += ["--port", str(port), "--base-model", base_model, "--workers", str(num_workers)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env)
        said = []
        assert self.process.stdout is not None
        for line in self.process.stdout:
            said.append(line)
            if "AdaPTwin is ready" in line:
                break
        else:
            raise AssertionError("".join(said))
        self.url = f"http://127.0.0.1:{port}"
        self.key = (folder / "api_key").read_text().strip()
        self.client = httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {self.key}"}, timeout=30)

    def workers(self) -> list[psutil.Process]:
        """The processes that do a job's tasks."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        return [child for child in children if "model,audio" in child.cmdline()]

    def upload(self, name: str, speech: Path) -> str:
        """Send a folder of speech, seal it, wait until it is ready; return the dataset's id."""
        dataset = self._created("/v1/datasets", {"name": name})["id"]
        tus = TusClient(f"{self.url}/v1/uploads", headers={"Authorization": f"Bearer {self.key}"})
        for path in sorted(speech.iterdir()):
            tus.uploader(str(path), chunk_size=1 << 20, metadata={"dataset": dataset, "filename": path.name}).upload()
        assert self.client.post(f"/v1/datasets/{dataset}/seal").is_success
        assert self._until(f"/v1/datasets/{dataset}", {"ready", "failed"}, 120)["state"] == "ready"
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
        ended = self._until(f"/v1/jobs/{job}", {"succeeded", "failed", "cancelled"}, timeout_s)
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
        made = self._until(where, {"ready", "refused", "failed"}, timeout_s)
        assert made["state"] == "ready", made
        for name in made["files"]:
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            (out / name).write_bytes(self.client.get(f"{where}/files/{name}").content)
        return made

    def _created(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.client.post(path, json=body)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def _until(self, path: str, states: set[str], timeout_s: float) -> dict[str, Any]:
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            found: dict[str, Any] = self.client.get(path).json()
            if found["state"] in states:
                return found
            time.sleep(POLL_S)
        raise AssertionError(f"{path} is still {found['state']} after {timeout_s} s: {json.dumps(found)[:2000]}")


@contextmanager
def running_service(
    base_model: str, num_workers: int = 2, settings: Mapping[str, str] | None = None
) -> Iterator[Service]:
    with tempfile.TemporaryDirectory(prefix="adaptwin-e2e-") as folder:
        service = Service(Path(folder), base_model, num_workers, settings)
        try:
            yield service
        finally:
            service.process.send_signal(signal.SIGTERM)
            service.process.wait(60)


@pytest.fixture(scope="session")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty clips of coloured noise with transcripts: enough for a model that knows nothing."""
    folder = tmp_path_factory.mktemp("noise")
    rng = np.random.default_rng(0)
    for index in range(20):
        samples = np.cumsum(rng.standard_normal(16_000 * rng.integers(2, 5)))
        soundfile.write(
            folder / f"clip{index:02d}.flac", (0.5 * samples / np.abs(samples).max()).astype(np.float32), 16_000
        )
        (folder / f"clip{index:02d}.txt").write_text(f"sentence number {index}")
    return folder

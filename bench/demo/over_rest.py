"""The demo's dealings with the service: speech up, a job run, a model down, and what a person sees meanwhile."""

import shutil
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from bench.demo.client import JSON, Service, ServiceError
from bench.demo.follow import bars, follow
from bench.demo.settings import DATASET_READY_S


@dataclass(frozen=True)
class OverRest:
    """One service, as a client of its REST interface uses it."""

    service: Service
    console: Console
    say: Callable[[str], None]

    def upload(self, kind: str, path: Path) -> str:
        """Upload speech into a new dataset, seal it, and return its id."""
        dataset_id: str = self.service.call("POST", "/v1/datasets", body={"name": kind})["id"]
        with bars(self.console) as progress:
            bar = progress.add_task(f"{kind}: {path.name}", total=path.stat().st_size)

            def on_bytes(offset: int) -> None:
                progress.update(bar, completed=offset)

            def on_cut(offset: int) -> None:
                self.say(f"  {kind}: upload abandoned on purpose; a new client goes on at byte {offset:,}")

            self.service.upload(dataset_id, path, on_bytes, on_cut)
        self.say(f"  {kind}: {path.stat().st_size / 1e6:.1f} MB uploaded")
        self.service.call("POST", f"/v1/datasets/{dataset_id}/seal")
        return dataset_id

    def ready(self, kind: str, dataset_id: str) -> JSON:
        """Wait until the service has read a dataset; tell what it found, and return it."""
        deadline = time.monotonic() + DATASET_READY_S
        while time.monotonic() < deadline:
            dataset = self.service.call("GET", f"/v1/datasets/{dataset_id}")
            if dataset["state"] == "failed":
                raise ServiceError(f"the service cannot use the speech of {kind}: {dataset['error']['message']}")
            if dataset["state"] == "ready":
                self._tell(kind, dataset["report"])
                return dataset
            time.sleep(0.5)
        raise ServiceError(f"the service has not read the speech of {kind} within {DATASET_READY_S / 60:.0f} min")

    def compress(self, speaker_id: str, others_id: str, spec: JSON) -> JSON:
        """Run a job to its end and return it."""
        body = {
            "dataset_id": speaker_id,
            "general_dataset_id": others_id,
            "base_model": self.service.call("GET", "/v1/base-models")["items"][0]["id"],
            "name": "demo",
            "spec": spec,
        }
        job = self.service.call("POST", "/v1/jobs", body=body, headers={"Idempotency-Key": uuid.uuid4().hex})
        return follow(self.service, job["id"], self.console)

    def download(self, model_id: str, target: Path) -> JSON:
        """Download every file of a model, checked against its manifest, and return the manifest."""
        manifest: JSON = self.service.call("GET", f"/v1/models/{model_id}")["manifest"]
        shutil.rmtree(target, ignore_errors=True)
        with bars(self.console) as progress:
            bar = progress.add_task("model", total=sum(entry["bytes"] for entry in manifest["files"].values()))
            for name, entry in manifest["files"].items():
                if not (target / name).resolve().is_relative_to(target.resolve()):
                    raise ServiceError(f"the manifest names a file outside of the model: {name!r}")
                self.service.download(
                    model_id, name, entry["sha256"], target / name, lambda n: progress.advance(bar, n)
                )
        self.say(f"  {len(manifest['files'])} files in {target}, each with the SHA-256 of the manifest")
        return manifest

    def _tell(self, kind: str, found: JSON) -> None:
        splits = ", ".join(f"{name} {seconds / 60:.1f}" for name, seconds in found["splits"].items())
        self.say(
            f"  {kind}: {found['clips']} clips ({found['labelled']} with transcripts), minutes: {splits}; "
            f"{len(found['rejects'])} files not used"
        )
        for reject in found["rejects"][:5]:
            self.say(f"    not used: {reject['name']}: {reject['reason']}")

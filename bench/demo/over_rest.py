"""The demo's dealings with the service: speech up, a job run, a model down, and what a person sees meanwhile."""

import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from adaptwin_core.client import Client, NewJob, Progress
from adaptwin_core.domain.dataset_report import DatasetReport
from adaptwin_core.rest.datasets import DatasetOut
from adaptwin_core.rest.jobs import JobOut
from adaptwin_core.rest.models import ModelOut
from bench.demo.follow import bars, follow
from bench.demo.settings import JSON


class _Abandoned(Exception):
    """The demo gives an upload up on purpose."""


@dataclass(frozen=True)
class OverRest:
    """One service, as its client sees it."""

    client: Client
    console: Console
    say: Callable[[str], None]

    def upload(self, kind: str, path: Path) -> str:
        """Upload speech into a new dataset, seal it, and return its id. Half-way it is given up, and begun again."""
        dataset_id = self.client.datasets.create(kind).id
        with bars(self.console) as progress:
            bar = progress.add_task(f"{kind}: {path.name}", total=path.stat().st_size)

            def show(at: Progress) -> None:
                progress.update(bar, completed=at.done_bytes)

            def abandon_half_way(at: Progress) -> None:
                show(at)
                if 2 * at.done_bytes >= at.total_bytes:
                    raise _Abandoned

            with suppress(_Abandoned):
                self.client.datasets.upload_file(dataset_id, path, on_progress=abandon_half_way)
            [upload] = self.client.datasets.get(dataset_id).uploads
            self.say(f"  {kind}: upload abandoned on purpose; the next one goes on at byte {upload.offset:,}")
            self.client.datasets.upload_file(dataset_id, path, on_progress=show)
        self.say(f"  {kind}: {path.stat().st_size / 1e6:.1f} MB uploaded")
        self.client.datasets.seal(dataset_id)
        return dataset_id

    def ready(self, kind: str, dataset_id: str) -> DatasetOut:
        """Wait until the service has read a dataset; tell what it found, and return it."""
        dataset = self.client.datasets.wait(dataset_id)
        assert dataset.report is not None, "it is ready"
        self._tell(kind, dataset.report)
        return dataset

    def compress(self, speaker_id: str, others_id: str, spec: JSON) -> JobOut:
        """Run a job to its end and return it."""
        job = NewJob.model_validate(
            {
                "dataset_id": speaker_id,
                "general_dataset_id": others_id,
                "base_model": self.client.base_models()[0].id,
                "name": "demo",
                "spec": spec,
            }
        )
        return follow(self.client, self.client.jobs.submit(job).id, self.console)

    def download(self, model_id: str, target: Path) -> ModelOut:
        """Download every file of a model, checked against its manifest, and return the model."""
        shutil.rmtree(target, ignore_errors=True)
        with bars(self.console) as progress:
            bar = progress.add_task("model", total=None)

            def show(at: Progress) -> None:
                progress.update(bar, completed=at.done_bytes, total=at.total_bytes)

            model = self.client.models.download(model_id, target, on_progress=show)
        self.say(f"  {len(model.files)} files in {target}, each with the SHA-256 of the manifest")
        return model

    def _tell(self, kind: str, found: DatasetReport) -> None:
        splits = ", ".join(f"{name} {seconds / 60:.1f}" for name, seconds in found.splits.items())
        self.say(
            f"  {kind}: {found.clips} clips ({found.labelled} with transcripts), minutes: {splits}; "
            f"{len(found.rejects)} files not used"
        )
        for reject in found.rejects[:5]:
            self.say(f"    not used: {reject.name}: {reject.reason}")

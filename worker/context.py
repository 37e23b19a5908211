"""What the body of a stage may touch: its settings, its inputs as local files, a folder to work in, and its lease."""

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.states import Stage
from adaptwin_core.service.results import Base, TaskInputs
from adaptwin_core.speech.corpus import MANIFEST_NAME
from adaptwin_core.store.blobs import BlobStore, Files
from adaptwin_core.store.disk import link_or_copy
from adaptwin_core.store.settings import Settings
from worker.lease import Lease


@dataclass
class StageContext:
    """Given to `run_stage`; files appear when they are first asked for."""

    task: TaskInputs
    workdir: Path  # emptied afterwards
    blobs: BlobStore
    lease: Lease
    settings: Settings  # of the worker
    info: dict[str, Any] = field(default_factory=dict)  # small figures to store with the result

    @property
    def stage(self) -> Stage:
        return self.task.stage

    @property
    def key(self) -> str:
        return self.task.key

    @property
    def spec(self) -> CompressionSpec:
        """The job's settings; those this stage has no business with are at their defaults."""
        return self.task.spec

    @property
    def base(self) -> Base:
        return self.task.base

    @cached_property
    def speaker(self) -> Path:
        """The speaker's corpus: a folder with corpus.json and its shards."""
        return self._folder("speaker", self.task.speaker)

    @cached_property
    def general(self) -> Path | None:
        """The general corpus, if the job has one."""
        return self._folder("general", self.task.general) if self.task.general is not None else None

    def inputs(self, stage: Stage, only: Collection[str] | None = None) -> dict[str, dict[str, Path]]:
        """Return {task key: {file name: local path}} of an earlier stage. Raises KeyError if it may not be read.

        Args:
            only: names of the files that are needed of each task; left out, all are fetched.
        """
        return {
            key: {name: self._fetch(file.sha256) for name, file in made.files.items() if only is None or name in only}
            for key, made in self.task.upstream[stage].items()
        }

    def infos(self, stage: Stage) -> dict[str, dict[str, Any]]:
        """Return {task key: figures stored with its result} of an earlier stage."""
        return {key: made.info for key, made in self.task.upstream[stage].items()}

    def report(self, step: int, total: int, **figures: Any) -> None:
        """Show progress; call it as often as you like, only the latest is sent, at the next heartbeat."""
        self.lease.report({"step": step, "total": total, **figures})

    def check(self) -> None:
        """Raise Cancelled or LeaseLost if the work must stop. Cheap: call it in every loop."""
        self.lease.check()

    def _fetch(self, sha256: str) -> Path:
        return self.blobs.fetch(sha256, scope=self.task.tenant_id)

    def _folder(self, name: str, files: Files) -> Path:
        folder = self.workdir / f"input-{name}"
        folder.mkdir()
        # Most tasks read no audio: they need to know which clips there are, not to fetch hours of them.
        wanted = (MANIFEST_NAME,) if self.stage in {Stage.WEIGH, Stage.FACTORIZE, Stage.PUBLISH} else tuple(files)
        for file_name in wanted:
            link_or_copy(self._fetch(files[file_name].sha256), folder / file_name)
        return folder

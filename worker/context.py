"""What the body of a stage may touch: its inputs as local files, a folder to work in, and its lease."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from adaptwin_core.domain.manifests import CORPUS_MANIFEST
from adaptwin_core.domain.stage_table import row_of
from adaptwin_core.domain.stages import SpeechUse, Stage
from adaptwin_core.domain.task_keys import SpeechKind, TaskKey
from adaptwin_core.ml.stages.task_result import TaskResult
from adaptwin_core.service.results import TaskInputs
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

    @property
    def stage(self) -> Stage:
        return self.task.stage

    @property
    def key(self) -> TaskKey:
        return self.task.key

    @cached_property
    def out(self) -> Path:
        """The folder for what the body makes."""
        folder = self.workdir / "out"
        folder.mkdir()
        return folder

    @cached_property
    def speaker(self) -> Path:
        """The speaker's corpus: a folder with corpus.json and, where the stage needs audio, its shards."""
        return self._corpus(SpeechKind.SPEAKER, self.task.speaker)

    @cached_property
    def general(self) -> Path | None:
        """The general corpus, if the job has one and the stage uses it."""
        if self.task.general is None or row_of(self.stage).speech is SpeechUse.SPEAKER:
            return None
        return self._corpus(SpeechKind.GENERAL, self.task.general)

    @cached_property
    def results(self) -> Sequence[Mapping[Stage, Mapping[TaskKey, TaskResult]]]:
        """What earlier tasks made for each model that this task works on, of the stages that it may read."""
        folders = [self.workdir / "earlier" / str(place) for place in range(len(self.task.pieces))]
        return [
            {
                stage: {
                    key: TaskResult(_FetchedFiles(self, made.files, folder / stage / str(key)), made.info)
                    for key, made in results.items()
                }
                for stage, results in piece.earlier.items()
            }
            for piece, folder in zip(self.task.pieces, folders, strict=True)
        ]

    def progress(self, done: int, total: int, /, **figures: float) -> None:
        """Show progress, as `Lease.progress` does."""
        self.lease.progress(done, total, **figures)

    def fetch(self, sha256: str, target: Path) -> None:
        """Put a blob of the tenant at `target`, linked or copied."""
        target.parent.mkdir(parents=True, exist_ok=True)
        link_or_copy(self.blobs.fetch(sha256, scope=self.task.tenant_id), target)

    def _corpus(self, kind: SpeechKind, files: Files) -> Path:
        folder = self.workdir / f"input-{kind}"
        # Most tasks hear no audio: they need to know which clips there are, not to fetch hours of them.
        needs_audio = row_of(self.stage).speech in {SpeechUse.AUDIO, SpeechUse.SPEAKER}
        for file_name in files if needs_audio else (CORPUS_MANIFEST,):
            self.fetch(files[file_name].sha256, folder / file_name)
        return folder


class _FetchedFiles(Mapping[str, Path]):
    """A result's files, in a folder of their own. Each is fetched when it is first asked for.

    The moments of all blocks of a large model are many gigabytes, and the task of one block reads only its own.
    """

    def __init__(self, ctx: StageContext, files: Files, folder: Path) -> None:
        self._ctx, self._files, self._folder = ctx, files, folder

    def __getitem__(self, name: str) -> Path:
        path = self._folder / name
        if not path.exists():
            self._ctx.fetch(self._files[name].sha256, path)
        return path

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

"""The body of a task that transcribes: a stranger's file is decoded in the sandbox and heard by a finished model."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from adaptwin_core.domain.errors import LeaseLost
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.ml.model.memory import give_back_freed
from adaptwin_core.service import models
from adaptwin_core.service.bootstrap import Service
from adaptwin_core.service.task_owner import Claim
from adaptwin_core.service.transcription_tasks import Transcribed
from adaptwin_core.speech.single_file import read_file
from adaptwin_core.store.blobs import Files, from_json
from adaptwin_core.store.disk import link_or_copy
from adaptwin_core.store.queries import transcriptions
from worker.lease import Lease

if TYPE_CHECKING:  # torch is loaded where it is needed first, never in the parent of a pool
    from adaptwin_core.ml.model.listener import Listener


class LastListener:
    """The model that this process listened with last, so that the next recording for it is heard at once."""

    def __init__(self) -> None:
        self._key: tuple[str, ...] = ()
        self._listener: Listener | None = None

    def get(self, key: tuple[str, ...], load: "Callable[[], Listener]") -> "Listener":
        """Return the model of this key; any other is let go first."""
        if self._listener is None or self._key != key:
            self.drop()
            self._key, self._listener = key, load()
        return self._listener

    def drop(self) -> None:
        """Let the model go, so that a task of a job has the memory."""
        if self._listener is not None:
            self._key, self._listener = (), None
            give_back_freed()


LAST = LastListener()


def transcribe(service: Service, claim: Claim, lease: Lease, workdir: Path) -> None:
    """Hear one recording; what was said is in the database when this returns.

    Raises:
        InvalidAudio, InvalidInput: it cannot be heard as is wanted.
        NotFound: the model was deleted.
        Cancelled, LeaseLost: the work must stop.
    """
    scope = TenantScope(claim.tenant_id)
    assert claim.transcription_id is not None
    with service.database.transaction() as session:
        row = transcriptions.with_audio(session, scope, claim.transcription_id)
        if row is None or row.audio is None:
            raise LeaseLost(f"nobody waits for transcription {claim.transcription_id} any more")
        wanted, audio = row.wanted, row.audio
        files = from_json(models.get(session, scope, row.model_id).manifest["files"])
    recording = workdir / "recording"
    recording.write_bytes(audio)
    samples = read_file(recording, max_s=service.settings.max_transcribed_s)
    lease.check()
    key = (scope.tenant_id, wanted.language, *sorted(file.sha256 for file in files.values()))
    listener = LAST.get(key, lambda: _load(service, scope, files, workdir / "model", wanted.language))
    heard = listener.hear(samples, wanted, lease.progress)
    lease.check()
    with service.database.transaction() as session:
        service.tasks.complete(session, claim, Transcribed(heard))


def _load(service: Service, scope: TenantScope, files: Files, folder: Path, language: str) -> "Listener":
    import torch

    from adaptwin_core.ml.model.listener import Listener
    from adaptwin_core.ml.model.quiet import quiet_transformers

    quiet_transformers()
    torch.set_num_threads(service.settings.block_threads)
    folder.mkdir()
    for name, file in files.items():
        if "/" not in name:
            link_or_copy(service.blobs.fetch(file.sha256, scope=scope.tenant_id), folder / name)
    return Listener(folder, language)

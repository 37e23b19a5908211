"""The task that writes down a recording. Its end is what somebody waits for."""

from dataclasses import dataclass

from adaptwin_core.domain.transcription import Transcription as Heard
from adaptwin_core.service.task_owner import ErrorDict, OnlyItsEnd
from adaptwin_core.store.tables import Transcription


@dataclass(frozen=True)
class Transcribed:
    """What was heard in the recording."""

    heard: Heard
    result_key: None = None  # nothing of it is kept
    worked_s: None = None


@dataclass(frozen=True)
class TranscriptionTask(OnlyItsEnd):
    """The writing down of one recording."""

    row: Transcription

    @property
    def tenant_id(self) -> str:
        return self.row.tenant_id

    def may_start(self) -> bool:
        return True  # where nobody waits any more, the task is gone

    def done(self, outcome: Transcribed) -> None:
        """Put down what was heard, and let go of the sound."""
        self.row.heard_json = outcome.heard.model_dump(mode="json")
        self.row.audio = None

    def failed(self, error: ErrorDict) -> None:
        """Note why it could not be heard, and let go of the sound."""
        self.row.error = error
        self.row.audio = None

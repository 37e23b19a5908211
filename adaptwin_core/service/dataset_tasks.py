"""The task that reads the speech of a dataset. Its end makes the dataset ready or failed."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from adaptwin_core.domain.dataset_report import DatasetReport
from adaptwin_core.domain.errors import CorruptBlob
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.states import DatasetState, next_state
from adaptwin_core.domain.webhooks import EventType
from adaptwin_core.service.task_owner import ErrorDict, OnlyItsEnd
from adaptwin_core.service.webhook_events import announce
from adaptwin_core.store.blobs import BlobStore, Files
from adaptwin_core.store.queries import blobs as blob_queries
from adaptwin_core.store.tables import Dataset


@dataclass(frozen=True)
class Ingested:
    """What was read of a dataset.

    Attributes:
        digest: of the corpus: same speech, same digest.
        report: what was found.
        files: of the corpus, stored as the tenant's blobs.
    """

    digest: str
    report: DatasetReport
    files: Files
    result_key: None = None  # a corpus is kept by its dataset
    worked_s: None = None


@dataclass(frozen=True)
class IngestTask(OnlyItsEnd):
    """The reading of one dataset. It has no events: people see its state, and its error if it failed."""

    session: Session
    dataset: Dataset
    blobs: BlobStore

    @property
    def tenant_id(self) -> str:
        return self.dataset.tenant_id

    def may_start(self) -> bool:
        return True  # deleting a dataset cancels its task

    def done(self, outcome: Ingested) -> None:
        """Make the dataset ready.

        Raises:
            Conflict: the dataset was deleted meanwhile.
            CorruptBlob: a blob was erased with another dataset that held the same bytes; a retry stores it again.
        """
        scope = TenantScope(self.tenant_id)
        blob_queries.lock_shared(self.session, scope)
        for name, file in outcome.files.items():
            if not self.blobs.exists(file.sha256, scope=scope.tenant_id):
                raise CorruptBlob(f"{name} of dataset {self.dataset.id} is not stored")
        self.dataset.state = next_state(DatasetState(self.dataset.state), "ready").value
        self.dataset.digest = outcome.digest
        self.dataset.report = outcome.report
        self.dataset.files = outcome.files
        announce(self.session, scope, EventType.DATASET_READY, dataset_id=self.dataset.id)

    def failed(self, error: ErrorDict) -> None:
        """Note why the dataset cannot be used, unless it was deleted meanwhile."""
        if self.dataset.state == DatasetState.PROBING:
            self.dataset.state = next_state(DatasetState.PROBING, "fail").value
            self.dataset.error = error
            scope = TenantScope(self.tenant_id)
            announce(self.session, scope, EventType.DATASET_FAILED, dataset_id=self.dataset.id)

"""Uploads by tus. An offset is a promise: it is committed only after its bytes are on disk, and never goes back."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from sqlalchemy.orm import Session

from adaptwin_core.domain.errors import Conflict, NotFound
from adaptwin_core.domain.ids import new_id
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.states import UploadState, next_state
from adaptwin_core.service import quotas, readiness
from adaptwin_core.service.upload_files import UploadFiles
from adaptwin_core.speech.files.sources import label
from adaptwin_core.store.blobs import BlobStore
from adaptwin_core.store.killpoints import killpoint
from adaptwin_core.store.queries import blobs, datasets
from adaptwin_core.store.queries import uploads as rows
from adaptwin_core.store.settings import Settings
from adaptwin_core.store.tables import Upload


@dataclass(frozen=True)
class Uploads:
    """The life of an upload: its bytes are in `files` until it is complete, and in `blobs` from then on."""

    settings: Settings
    files: UploadFiles
    blobs: BlobStore

    def create(self, session: Session, scope: TenantScope, *, dataset_id: str, file_name: str, length: int) -> Upload:
        """Reserve room for a file of `length` bytes in an open dataset.

        Raises:
            NotFound: no such dataset, or it was deleted.
            Conflict: the dataset is sealed or failed, or has a file of this name.
            LimitExceeded, ResourceExhausted: see `quotas.admit_upload`.
        """
        quotas.admit_upload(session, scope, length, self.settings)
        # Two uploads of one name meet here: the second waits for the first, and is then refused.
        _open_dataset(session, scope, dataset_id, lock="update")
        read_as = label(file_name)
        _refuse_duplicate(rows.of_label(session, scope, dataset_id, read_as))
        upload = Upload(
            id=new_id("up"),
            tenant_id=scope.tenant_id,
            dataset_id=dataset_id,
            file_name=file_name,
            label=read_as,
            length=length,
            offset=0,
            state=UploadState.OPEN.value,
            expires_at=self.expiry(),
        )
        session.add(upload)
        session.flush()
        return upload

    def get(self, session: Session, scope: TenantScope, upload_id: str) -> Upload:
        """Return an upload with the offset a client may go on from.

        Raises:
            NotFound: no such upload; with code "gone" when it was deleted or has expired.
        """
        upload = living(rows.get(session, scope, upload_id))
        if upload.state == UploadState.OPEN:
            session.expunge(upload)  # what is shown is not written back
            upload.offset = self.safe_offset(upload)
        return upload

    def complete(self, session: Session, scope: TenantScope, upload_id: str) -> Upload:
        """Move a file that has all its bytes to the blobs. Does nothing when that is done, so it may be repeated."""
        upload = living(rows.get(session, scope, upload_id, lock=True))
        if upload.state == UploadState.OPEN and self.safe_offset(upload) == upload.length:
            if upload.length == 0:
                self.files.write(upload.id, 0, b"")
            blobs.lock_shared(session, scope)
            upload.sha256 = self.blobs.put(self.files.path_of(upload.id), scope=scope.tenant_id).sha256
            killpoint("upload_stored")
            upload.state = next_state(UploadState.OPEN, "complete").value
            upload.writer_token = None
        return upload

    def abort(self, session: Session, scope: TenantScope, upload_id: str) -> None:
        """Give an upload up; `erasure` then removes its bytes.

        Raises:
            NotFound: as `get`.
            Conflict: its dataset is sealed, or failed.
        """
        upload = living(rows.get(session, scope, upload_id))
        _open_dataset(session, scope, upload.dataset_id)
        upload = living(rows.get(session, scope, upload_id, lock=True))
        upload.state = next_state(UploadState(upload.state), "abort").value
        upload.writer_token = None

    def safe_offset(self, upload: Upload) -> int:
        """Return how many bytes are promised and there: a disk may have lost some of them."""
        return min(upload.offset, self.files.size(upload.id))

    def expiry(self) -> datetime:
        """Return when an upload that somebody goes on with now expires."""
        return datetime.now(UTC) + timedelta(seconds=self.settings.upload_expiry_s)


def _open_dataset(
    session: Session, scope: TenantScope, dataset_id: str, *, lock: Literal["share", "update"] = "share"
) -> None:
    readiness.require_open(datasets.get(session, scope, dataset_id, lock=lock))


def _refuse_duplicate(known: Upload | None) -> None:
    """Refuse a name that reads as another file's: speech is matched with texts by labels."""
    if known is not None:
        raise Conflict(
            f"{known.file_name} is in this dataset already (upload {known.id}): go on with it, delete it, or rename "
            "this",
            code="duplicate_file_name",
        )


def living(upload: Upload) -> Upload:
    """Return an upload that was not given up and has not expired. Raises NotFound, with code "gone"."""
    is_late = upload.state == UploadState.OPEN and upload.expires_at < datetime.now(UTC)
    if is_late or upload.state == UploadState.ABORTED:
        raise NotFound("this upload was deleted or has expired: start a new one", code="gone")
    return upload

"""Uploads by tus. An offset is a promise: it is committed only after its bytes are on disk, and never goes back."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from sqlalchemy.orm import Session

from adaptwin_core.domain.concatenation import PARTIAL
from adaptwin_core.domain.errors import Conflict, NotFound
from adaptwin_core.domain.ids import new_id
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.states import UploadState, next_state
from adaptwin_core.service import quotas, readiness
from adaptwin_core.service.upload_files import UploadFiles, disk_errors
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
        open_dataset(session, scope, dataset_id, lock="update")
        read_as = label(file_name)
        refuse_duplicate(rows.of_label(session, scope, dataset_id, read_as))
        return self.add(session, scope, dataset_id=dataset_id, file_name=file_name, label=read_as, length=length)

    def add(
        self,
        session: Session,
        scope: TenantScope,
        *,
        length: int,
        dataset_id: str | None = None,
        file_name: str = "",
        label: str = "",
        concat: str | None = None,
    ) -> Upload:
        """Add the row of an upload that was admitted."""
        upload = Upload(
            id=new_id("up"),
            tenant_id=scope.tenant_id,
            dataset_id=dataset_id,
            file_name=file_name,
            label=label,
            concat=concat,
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
        """Move a file that has all its bytes to the blobs.

        Does nothing when that is done, so it may be repeated. A part stays where it is until it is claimed, and the
        file that is made of parts is for `Joiner`.

        Raises:
            NotFound: as `get`.
            ResourceExhausted: the disk is full, or cannot be written.
        """
        upload = living(rows.get(session, scope, upload_id, lock=True))
        if upload.state != UploadState.OPEN or upload.part_ids or not self.is_whole(upload):
            return upload
        if upload.concat == PARTIAL:
            if upload.length == 0:
                self.files.write(upload.id, 0, b"")
            return upload
        blobs.lock_shared(session, scope)
        upload.sha256 = self.store(scope, upload)
        mark_complete(upload)
        return upload

    def store(self, scope: TenantScope, upload: Upload) -> str:
        """Copy the bytes of an upload, or of all its parts, to the blobs; return their SHA-256.

        Raises:
            ResourceExhausted: the disk is full, or cannot be written.
        """
        if upload.length == 0:
            self.files.write(upload.id, 0, b"")
        ids = (upload.part_ids if upload.length else []) or [upload.id]
        with disk_errors():
            ref = self.blobs.put(*map(self.files.path_of, ids), scope=scope.tenant_id)
        killpoint("upload_stored")
        return ref.sha256

    def abort(self, session: Session, scope: TenantScope, upload_id: str) -> None:
        """Give an upload up; `erasure` then removes its bytes.

        Raises:
            NotFound: as `get`.
            Conflict: its dataset is sealed or failed, or it is a part of a file.
        """
        upload = living(rows.get(session, scope, upload_id))
        if upload.dataset_id is not None:
            open_dataset(session, scope, upload.dataset_id)
        upload = living(rows.get(session, scope, upload_id, lock=True))
        if upload.final_id is not None and rows.get(session, scope, upload.final_id).state != UploadState.ABORTED:
            raise Conflict(f"its bytes are part of upload {upload.final_id}: delete that one")
        upload.state = next_state(UploadState(upload.state), "abort").value
        upload.writer_token = None

    def safe_offset(self, upload: Upload) -> int:
        """Return how many bytes are promised and there: a disk may have lost some of them."""
        return min(upload.offset, self.files.size(upload.id))

    def forget_files(self, upload: Upload) -> None:
        """Remove the files in flight of an upload that is stored as a blob."""
        if upload.sha256 is not None:
            for file_id in {upload.id, *upload.part_ids}:
                self.files.remove(file_id)

    def is_whole(self, upload: Upload) -> bool:
        """Tell whether all bytes of an open upload, or of all its parts, are promised and there."""
        part_ids = upload.part_ids
        num_bytes = sum(map(self.files.size, part_ids)) if part_ids else self.safe_offset(upload)
        return num_bytes >= upload.length

    def expiry(self) -> datetime:
        """Return when an upload that somebody goes on with now expires."""
        return datetime.now(UTC) + timedelta(seconds=self.settings.upload_expiry_s)


def open_dataset(
    session: Session, scope: TenantScope, dataset_id: str, *, lock: Literal["share", "update"] = "share"
) -> None:
    """Check that a dataset takes files, and hold it so. Raises NotFound, and Conflict as `readiness.require_open`."""
    readiness.require_open(datasets.get(session, scope, dataset_id, lock=lock))


def refuse_duplicate(known: Upload | None) -> None:
    """Refuse a name that reads as another file's: speech is matched with texts by labels."""
    if known is not None:
        raise Conflict(
            f"{known.file_name} is in this dataset already (upload {known.id}): go on with it, delete it, or rename "
            "this",
            code="duplicate_file_name",
        )


def mark_complete(upload: Upload) -> None:
    """Note that an open upload has all its bytes, and that nobody writes it any more."""
    upload.offset = upload.length
    upload.state = next_state(UploadState.OPEN, "complete").value
    upload.writer_token = None


def living(upload: Upload) -> Upload:
    """Return an upload that was not given up and has not expired. Raises NotFound, with code "gone"."""
    is_late = upload.state == UploadState.OPEN and upload.expires_at < datetime.now(UTC)
    if is_late or upload.state == UploadState.ABORTED:
        raise NotFound("this upload was deleted or has expired: start a new one", code="gone")
    return upload

"""Uploads by tus. An offset is a promise: it is committed only after its bytes are on disk, and never goes back.

The newest writer owns an upload. It draws a token; an older request still in flight finds another token at its next
write and stops. Every write to a file happens while its row is locked, so two requests can never mix their bytes.
"""

import secrets
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
from adaptwin_core.service.upload_writer import Checksum, Writer
from adaptwin_core.speech.files.sources import label
from adaptwin_core.store.blobs import BlobStore
from adaptwin_core.store.killpoints import killpoint
from adaptwin_core.store.queries import datasets, erasure
from adaptwin_core.store.queries import uploads as rows
from adaptwin_core.store.settings import Settings
from adaptwin_core.store.tables import Upload

SEGMENT_BYTES = 4 << 20  # what a request buffers, then writes, syncs and commits as one


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
        # Of two files of one name the second waits here, and is then refused.
        _open_dataset(session, scope, dataset_id, lock="update")
        read_as = label(file_name)
        _refuse_twin(rows.of_label(session, scope, dataset_id, read_as))
        upload = Upload(
            id=new_id("up"),
            tenant_id=scope.tenant_id,
            dataset_id=dataset_id,
            file_name=file_name,
            label=read_as,
            length=length,
            offset=0,
            state=UploadState.OPEN.value,
            expires_at=self._expiry(),
        )
        session.add(upload)
        session.flush()
        return upload

    def get(self, session: Session, scope: TenantScope, upload_id: str) -> Upload:
        """Return an upload with the offset a client may go on from.

        Raises:
            NotFound: no such upload; with code "gone" when it was deleted or has expired.
        """
        upload = _living(rows.get(session, scope, upload_id))
        if upload.state == UploadState.OPEN:
            session.expunge(upload)  # what is shown is not written back
            upload.offset = self._safe_offset(upload)
        return upload

    def begin(
        self, session: Session, scope: TenantScope, upload_id: str, *, offset: int, checksum: Checksum | None = None
    ) -> Writer:
        """Take the upload over for one request that goes on at `offset`.

        Raises:
            NotFound: as `get`.
            Conflict: `offset` is not where the upload stands.
        """
        upload = _living(rows.get(session, scope, upload_id, lock=True))
        if upload.state == UploadState.OPEN:
            upload.offset = self._safe_offset(upload)
        if offset != upload.offset:
            raise Conflict(f"the upload stands at {upload.offset}, not at {offset}", code="offset_mismatch")
        token = secrets.token_hex(8)
        if upload.state == UploadState.OPEN:
            self.files.truncate(upload.id, upload.offset)
            upload.writer_token = token
            upload.expires_at = self._expiry()
        return Writer(upload, token, checksum, max_checked_bytes=self.settings.max_patch_bytes)

    def write(self, session: Session, scope: TenantScope, writer: Writer, data: bytes | bytearray) -> None:
        """Put one segment on disk; it counts when this transaction is committed, unless a checksum is still to come.

        Raises:
            Conflict: a newer request took over.
            ResourceExhausted: the disk is full or fails.
        """
        upload = _owned(session, scope, writer)
        self.files.write(upload.id, writer.position, data)
        writer.advance(data)
        if writer.checksum is None:
            upload.offset = writer.position

    def settle(self, session: Session, scope: TenantScope, writer: Writer) -> Upload:
        """End a request whose whole body was written: check it, and store the file when it is whole.

        Raises:
            InvalidInput: with code "checksum_mismatch"; the offset has not moved.
            Conflict: a newer request took over.
        """
        writer.verify()
        if writer.start == writer.length:  # nothing was missing, but perhaps the last step
            return self.complete(session, scope, writer.upload_id)
        upload = _owned(session, scope, writer)
        upload.offset = writer.position
        return self.complete(session, scope, upload.id) if upload.offset == upload.length else upload

    def complete(self, session: Session, scope: TenantScope, upload_id: str) -> Upload:
        """Move a file that has all its bytes to the blobs. Does nothing when that is done, so it may be repeated."""
        upload = _living(rows.get(session, scope, upload_id, lock=True))
        if upload.state == UploadState.OPEN and self._safe_offset(upload) == upload.length:
            if upload.length == 0:
                self.files.write(upload.id, 0, b"")
            erasure.share_blobs(session, scope)
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
        upload = _living(rows.get(session, scope, upload_id))
        _open_dataset(session, scope, upload.dataset_id)
        upload = _living(rows.get(session, scope, upload_id, lock=True))
        upload.state = next_state(UploadState(upload.state), "abort").value
        upload.writer_token = None

    def _safe_offset(self, upload: Upload) -> int:
        return min(upload.offset, self.files.size(upload.id))

    def _expiry(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.settings.upload_expiry_s)


def _open_dataset(
    session: Session, scope: TenantScope, dataset_id: str, *, lock: Literal["share", "update"] = "share"
) -> None:
    readiness.require_open(datasets.get(session, scope, dataset_id, lock=lock))


def _refuse_twin(twin: Upload | None) -> None:
    """Refuse a name that reads as another file's: speech is matched with texts by labels."""
    if twin is not None:
        raise Conflict(
            f"{twin.file_name} is in this dataset already (upload {twin.id}): go on with it, delete it, or rename this",
            code="duplicate_file_name",
        )


def _living(upload: Upload) -> Upload:
    is_late = upload.state == UploadState.OPEN and upload.expires_at < datetime.now(UTC)
    if is_late or upload.state == UploadState.ABORTED:
        raise NotFound("this upload was deleted or has expired: start a new one", code="gone")
    return upload


def _owned(session: Session, scope: TenantScope, writer: Writer) -> Upload:
    upload = rows.get(session, scope, writer.upload_id, lock=True)
    if upload.writer_token != writer.token:
        raise Conflict("a newer request writes this upload now", code="upload_taken_over")
    return upload

"""Uploads by tus. An offset is a promise: it is committed only after its bytes are on disk, and never goes back.

The newest writer owns an upload. It draws a token; an older request still in flight finds another token at its next
write and stops. Every write to a file happens while its row is locked, so two requests can never mix their bytes.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from sqlalchemy.orm import Session

from adaptwin_core.domain.errors import Conflict, InvalidInput, LimitExceeded, NotFound
from adaptwin_core.domain.ids import new_id
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.states import UploadState, next_state
from adaptwin_core.service import quotas, readiness, upload_files
from adaptwin_core.speech.files.sources import label
from adaptwin_core.store.blobs import get_blobs
from adaptwin_core.store.killpoints import killpoint
from adaptwin_core.store.queries import datasets, erasure
from adaptwin_core.store.queries import uploads as rows
from adaptwin_core.store.settings import get_settings
from adaptwin_core.store.tables import Upload

SEGMENT_BYTES = 4 << 20  # what a request buffers, then writes, syncs and commits as one
ChecksumName = Literal["sha256", "sha1"]


@dataclass(frozen=True)
class Checksum:
    """What the client says the body of its request hashes to."""

    name: ChecksumName
    digest: bytes


class Writer:
    """One request's way into an upload.

    With a checksum its bytes count all together at the end, or not at all; without one, segment by segment.
    """

    def __init__(self, upload: Upload, token: str, checksum: Checksum | None) -> None:
        self.upload_id = upload.id
        self.token = token
        self.start = self.position = upload.offset
        self.length = upload.length
        self.checksum = checksum
        self._sha = hashlib.new(checksum.name, usedforsecurity=False) if checksum else None

    def room_for(self, num_bytes: int) -> None:
        """Raise LimitExceeded when `num_bytes` more would pass a limit."""
        if self.position + num_bytes > self.length:
            raise LimitExceeded(
                f"the upload was declared with {self.length} bytes and this body goes past that", code="body_too_long"
            )
        max_bytes = get_settings().max_patch_bytes
        if self.checksum and self.position + num_bytes - self.start > max_bytes:
            raise LimitExceeded(f"a body with a checksum may have at most {max_bytes} bytes", code="body_too_large")

    def advance(self, data: bytes | bytearray) -> None:
        self.position += len(data)
        if self._sha:
            self._sha.update(data)

    def verify(self) -> None:
        """Raise InvalidInput when the body was not what its checksum says."""
        if self._sha and self.checksum and not hmac.compare_digest(self._sha.digest(), self.checksum.digest):
            raise InvalidInput("the body does not match its checksum: send it again", code="checksum_mismatch")


def create(session: Session, scope: TenantScope, *, dataset_id: str, file_name: str, length: int) -> Upload:
    """Reserve room for a file of `length` bytes in an open dataset.

    Raises:
        NotFound: no such dataset, or it was deleted.
        Conflict: the dataset is sealed or failed, or has a file of this name.
        LimitExceeded, ResourceExhausted: see `quotas.admit_upload`.
    """
    quotas.admit_upload(session, scope, length)
    _open_dataset(
        session, scope, dataset_id, lock="update"
    )  # of two files of one name the second waits, and is refused
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
        expires_at=_expiry(),
    )
    session.add(upload)
    session.flush()
    return upload


def get(session: Session, scope: TenantScope, upload_id: str) -> Upload:
    """Return an upload with the offset a client may go on from.

    Raises:
        NotFound: no such upload; with code "gone" when it was deleted or has expired.
    """
    upload = _living(rows.get(session, scope, upload_id))
    if upload.state == UploadState.OPEN:
        session.expunge(upload)  # what is shown is not written back
        upload.offset = _safe_offset(upload)
    return upload


def begin(
    session: Session, scope: TenantScope, upload_id: str, *, offset: int, checksum: Checksum | None = None
) -> Writer:
    """Take the upload over for one request that goes on at `offset`.

    Raises:
        NotFound: as `get`.
        Conflict: `offset` is not where the upload stands.
    """
    upload = _living(rows.get(session, scope, upload_id, lock=True))
    if upload.state == UploadState.OPEN:
        upload.offset = _safe_offset(upload)
    if offset != upload.offset:
        raise Conflict(f"the upload stands at {upload.offset}, not at {offset}", code="offset_mismatch")
    token = secrets.token_hex(8)
    if upload.state == UploadState.OPEN:
        upload_files.truncate(upload.id, upload.offset)
        upload.writer_token = token
        upload.expires_at = _expiry()
    return Writer(upload, token, checksum)


def write(session: Session, scope: TenantScope, writer: Writer, data: bytes | bytearray) -> None:
    """Put one segment on disk; it counts when this transaction is committed, unless a checksum is still to come.

    Raises:
        Conflict: a newer request took over.
        ResourceExhausted: the disk is full or fails.
    """
    upload = _owned(session, scope, writer)
    upload_files.write(upload.id, writer.position, data)
    writer.advance(data)
    if writer.checksum is None:
        upload.offset = writer.position


def settle(session: Session, scope: TenantScope, writer: Writer) -> Upload:
    """End a request whose whole body was written: check it, and store the file when it is whole.

    Raises:
        InvalidInput: with code "checksum_mismatch"; the offset has not moved.
        Conflict: a newer request took over.
    """
    writer.verify()
    if writer.start == writer.length:  # nothing was missing, but perhaps the last step
        return complete(session, scope, writer.upload_id)
    upload = _owned(session, scope, writer)
    upload.offset = writer.position
    return complete(session, scope, upload.id) if upload.offset == upload.length else upload


def complete(session: Session, scope: TenantScope, upload_id: str) -> Upload:
    """Move a file that has all its bytes to the blobs. Does nothing when that is done, so it may be repeated."""
    upload = _living(rows.get(session, scope, upload_id, lock=True))
    if upload.state == UploadState.OPEN and _safe_offset(upload) == upload.length:
        if upload.length == 0:
            upload_files.write(upload.id, 0, b"")
        erasure.share_blobs(session, scope)
        upload.sha256 = get_blobs().put(upload_files.path_of(upload.id), scope=scope.tenant_id).sha256
        killpoint("upload_stored")
        upload.state = next_state(UploadState.OPEN, "complete").value
        upload.writer_token = None
    return upload


def abort(session: Session, scope: TenantScope, upload_id: str) -> None:
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


def _safe_offset(upload: Upload) -> int:
    return min(upload.offset, upload_files.size(upload.id))


def _expiry() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=get_settings().upload_expiry_s)

"""How requests write an upload. The newest one owns it.

It draws a token; an older request still in flight finds another token at its next write and stops. Every write to a
file happens while its row is locked, so two requests can never mix their bytes.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from sqlalchemy.orm import Session

from adaptwin_core.domain.errors import Conflict, InvalidInput, LimitExceeded, NotFound
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.states import UploadState
from adaptwin_core.service.uploads import Uploads, living
from adaptwin_core.store.queries import uploads as rows
from adaptwin_core.store.tables import Upload

SEGMENT_BYTES = 4 << 20  # what a request buffers, then writes, syncs and commits as one
ChecksumName = Literal["sha256", "sha1"]


@dataclass(frozen=True)
class Checksum:
    """What the client says the body of its request hashes to."""

    name: ChecksumName
    digest: bytes


class Writer:
    """How far one request has come with its body.

    Its bytes count segment by segment. With a checksum, or when it is held, they count all together at the end, or not
    at all.
    """

    def __init__(
        self, upload: Upload, token: str, checksum: Checksum | None, *, is_held: bool, max_checked_bytes: int
    ) -> None:
        self.upload_id = upload.id
        self.token = token
        self.start = self.position = upload.offset
        self.length = upload.length
        self.checksum = checksum
        self.sha256: str | None = None  # of the blob that was made of the upload
        self.counts_at_end = is_held or checksum is not None
        self._max_checked_bytes = max_checked_bytes
        self._sha = hashlib.new(checksum.name, usedforsecurity=False) if checksum else None

    def room_for(self, num_bytes: int) -> None:
        """Raise LimitExceeded when `num_bytes` more would pass a limit."""
        if self.position + num_bytes > self.length:
            raise LimitExceeded(
                f"the upload was declared with {self.length} bytes and this body goes past that", code="body_too_long"
            )
        if self.checksum and self.position + num_bytes - self.start > self._max_checked_bytes:
            raise LimitExceeded(
                f"a body with a checksum may have at most {self._max_checked_bytes} bytes", code="body_too_large"
            )

    def advance(self, data: bytes | bytearray) -> None:
        """Count bytes that were written."""
        self.position += len(data)
        if self._sha:
            self._sha.update(data)

    def verify(self) -> None:
        """Raise InvalidInput when the body was not what its checksum says."""
        if self._sha and self.checksum and not hmac.compare_digest(self._sha.digest(), self.checksum.digest):
            raise InvalidInput("the body does not match its checksum: send it again", code="checksum_mismatch")


@dataclass(frozen=True)
class Writers:
    """Lets one request at a time write an upload."""

    uploads: Uploads

    def begin(
        self,
        session: Session,
        scope: TenantScope,
        upload_id: str,
        *,
        offset: int,
        checksum: Checksum | None = None,
        is_held: bool = False,
    ) -> Writer:
        """Take the upload over for one request that goes on at `offset`.

        Args:
            is_held: its bytes count once the request settles, together with its other files.

        Raises:
            NotFound: as `Uploads.get`.
            Conflict: `offset` is not where the upload stands, or it is joined from parts.
        """
        upload = living(rows.get(session, scope, upload_id, lock=True))
        if upload.part_ids:
            raise Conflict("a final upload takes no bytes: they came with its parts", code="final_upload")
        if upload.state == UploadState.OPEN:
            upload.offset = self.uploads.safe_offset(upload)
        if offset != upload.offset:
            raise Conflict(f"the upload stands at {upload.offset}, not at {offset}", code="offset_mismatch")
        token = secrets.token_hex(8)
        if upload.state == UploadState.OPEN:
            self.uploads.files.truncate(upload.id, upload.offset)
            upload.writer_token = token
            upload.expires_at = self.uploads.expiry()
        max_checked_bytes = self.uploads.settings.max_patch_bytes
        return Writer(upload, token, checksum, is_held=is_held, max_checked_bytes=max_checked_bytes)

    def begin_held(
        self, session: Session, scope: TenantScope, *, dataset_id: str, file_name: str, max_bytes: int
    ) -> Writer:
        """Make an upload and take it over, for a file whose length is known at its end; it then counts with others.

        Raises:
            Conflict, LimitExceeded, NotFound, ResourceExhausted: as `Uploads.create`.
        """
        upload = self.uploads.create(session, scope, dataset_id=dataset_id, file_name=file_name, length=max_bytes)
        return self.begin(session, scope, upload.id, offset=0, is_held=True)

    def write(self, session: Session, scope: TenantScope, writer: Writer, data: bytes | bytearray) -> None:
        """Put one segment on disk; it counts when this transaction is committed, or at the end of the request.

        Raises:
            Conflict: a newer request took over.
            NotFound: it was given up meanwhile.
            ResourceExhausted: the disk is full or fails.
        """
        upload = _owned(session, scope, writer)
        self.uploads.files.write(upload.id, writer.position, data)
        writer.advance(data)
        if not writer.counts_at_end:
            upload.offset = writer.position

    def end_here(self, session: Session, scope: TenantScope, writer: Writer) -> None:
        """Say that the file has no more bytes, and give back the room that it did not need.

        Raises:
            Conflict, NotFound: as `write`.
        """
        _owned(session, scope, writer).length = writer.length = writer.position

    def settle_all(self, session: Session, scope: TenantScope, writers: Sequence[Writer]) -> list[Upload]:
        """Settle the files of one request together. Raises as `settle`; `give_up` is then to follow."""
        uploads = []
        for writer in writers:
            upload = self.settle(session, scope, writer)
            writer.sha256 = upload.sha256
            uploads.append(upload)
        return uploads

    def give_up(self, session: Session, scope: TenantScope, writers: Sequence[Writer]) -> None:
        """Abort the uploads of a request that failed. `erasure` then removes their bytes.

        A blob may be there although the transaction that named it was rolled back, so each row gets it here.
        """
        for writer in writers:
            with suppress(NotFound, Conflict):
                self.uploads.abort(session, scope, writer.upload_id)
            upload = rows.get(session, scope, writer.upload_id, lock=True)
            if upload.state == UploadState.ABORTED and writer.sha256 is not None:
                upload.sha256 = writer.sha256

    def settle(self, session: Session, scope: TenantScope, writer: Writer) -> Upload:
        """End a request whose whole body was written: check it, and store the file when it is whole.

        Raises:
            InvalidInput: with code "checksum_mismatch"; the offset has not moved.
            Conflict: a newer request took over.
        """
        writer.verify()
        if writer.start == writer.length:  # nothing was missing, but perhaps the last step
            return self.uploads.complete(session, scope, writer.upload_id)
        upload = _owned(session, scope, writer)
        upload.offset = writer.position
        return self.uploads.complete(session, scope, upload.id) if upload.offset == upload.length else upload


def _owned(session: Session, scope: TenantScope, writer: Writer) -> Upload:
    upload = living(rows.get(session, scope, writer.upload_id, lock=True))
    if upload.writer_token != writer.token:
        raise Conflict("a newer request writes this upload now", code="upload_taken_over")
    return upload

"""The body of one upload request: where it goes on, how much it may hold, and what its checksum must be."""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Literal

from adaptwin_core.domain.errors import InvalidInput, LimitExceeded
from adaptwin_core.store.tables import Upload

ChecksumName = Literal["sha256", "sha1"]


@dataclass(frozen=True)
class Checksum:
    """What the client says the body of its request hashes to."""

    name: ChecksumName
    digest: bytes


class Writer:
    """How far one request has come with its body.

    With a checksum its bytes count all together at the end, or not at all; without one, segment by segment.
    """

    def __init__(self, upload: Upload, token: str, checksum: Checksum | None, *, max_checked_bytes: int) -> None:
        self.upload_id = upload.id
        self.token = token
        self.start = self.position = upload.offset
        self.length = upload.length
        self.checksum = checksum
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

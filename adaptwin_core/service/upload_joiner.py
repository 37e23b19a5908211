"""Joins the parts of final uploads into one file.

That may copy gigabytes. So no transaction is open meanwhile: the upload may be given up, and the tenant's other bytes
erased, as if nothing went on. What was copied is given to the row at the end, in a short transaction.
"""

import hashlib
from dataclasses import dataclass

from sqlalchemy.orm import Session

from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.states import UploadState
from adaptwin_core.service import quotas
from adaptwin_core.service.uploads import Uploads, living, mark_complete
from adaptwin_core.store.database import Database
from adaptwin_core.store.queries import blobs
from adaptwin_core.store.queries import uploads as rows
from adaptwin_core.store.tables import Upload


@dataclass(frozen=True)
class Joiner:
    """Joins an upload in one process at a time."""

    database: Database
    uploads: Uploads

    def join(self, scope: TenantScope, upload_id: str) -> Upload | None:
        """Join the parts of an upload, and return it.

        Returns:
            None when another process is at it, it is joined already, or bytes of its parts are missing. The upload was
            given up meanwhile if it is aborted; erasure then removes what was copied.

        Raises:
            NotFound: it was given up before.
            ResourceExhausted: the disk has no room for the parts and the whole, or fails.
        """
        with self.database.alone(lock_key(upload_id)) as is_free:
            if not is_free:
                return None
            with self.database.transaction() as session:
                upload = living(rows.get(session, scope, upload_id))
            if upload.state != UploadState.OPEN or not self.uploads.is_whole(upload):
                return None
            quotas.require_disk(self.uploads.settings, upload.length)
            sha256 = self.uploads.store(scope, upload)
            with self.database.transaction() as session:
                return self._settle(session, scope, upload_id, sha256)

    def _settle(self, session: Session, scope: TenantScope, upload_id: str, sha256: str) -> Upload | None:
        """Let the upload stand on its blob; None when that was erased with equal bytes, so that it is stored again."""
        upload = rows.get(session, scope, upload_id, lock=True)
        blobs.lock_shared(session, scope)
        if not self.uploads.blobs.exists(sha256, scope=scope.tenant_id):
            return None
        upload.sha256 = sha256
        if upload.state == UploadState.OPEN:
            mark_complete(upload)
        return upload


def lock_key(upload_id: str) -> int:
    """Return the number of the lock under which an upload is joined: 64 bits."""
    return int.from_bytes(hashlib.sha256(upload_id.encode()).digest()[:8], signed=True)

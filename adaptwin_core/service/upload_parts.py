"""Files that come in parts, side by side (concatenation of tus 1.0).

A partial upload belongs to no dataset. A final upload claims its parts in one transaction, and is then as safe as they
are. Its bytes are joined afterwards, by `Joiner`: a request need not wait for gigabytes to be copied.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from adaptwin_core.domain.concatenation import PARTIAL, part_ids
from adaptwin_core.domain.errors import Conflict, InvalidInput
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.states import UploadState, next_state
from adaptwin_core.service import quotas
from adaptwin_core.service.uploads import Uploads, living, open_dataset, refuse_duplicate
from adaptwin_core.speech.files.sources import label
from adaptwin_core.store.queries import uploads as rows
from adaptwin_core.store.tables import Upload


@dataclass(frozen=True)
class Parts:
    """Makes partial uploads, and final ones of them."""

    uploads: Uploads

    def create(self, session: Session, scope: TenantScope, *, length: int) -> Upload:
        """Reserve room for a part of `length` bytes.

        Raises:
            LimitExceeded, ResourceExhausted: see `quotas.admit_upload`.
        """
        quotas.admit_upload(session, scope, length, self.uploads.settings)
        return self.uploads.add(session, scope, length=length, concat=PARTIAL)

    def join(self, session: Session, scope: TenantScope, *, dataset_id: str, file_name: str, concat: str) -> Upload:
        """Make the file that consists of the named parts, or return the one that the same request made before.

        Args:
            concat: the header, which names the parts in their order.

        Raises:
            InvalidInput: the header is malformed, or names an upload that is no part.
            NotFound: no such dataset or part, or it is gone.
            Conflict: a part is incomplete or used already, or as `Uploads.create`.
            LimitExceeded: the whole is larger than a file may be.
            ResourceExhausted: the disk has no room to join them.
        """
        ids = part_ids(concat)
        quotas.lock(session, scope)
        open_dataset(session, scope, dataset_id, lock="update")
        read_as = label(file_name)
        known = rows.of_label(session, scope, dataset_id, read_as)
        if known is not None and (known.file_name, known.concat) == (file_name, concat):
            return known  # the answer before may have been lost
        refuse_duplicate(known)
        parts = [rows.get(session, scope, part_id, lock=True) for part_id in sorted(ids)]
        for part in parts:
            self._require_whole(part)
        length = sum(part.length for part in parts)
        quotas.admit_joined(length, self.uploads.settings)
        final = self.uploads.add(
            session, scope, dataset_id=dataset_id, file_name=file_name, label=read_as, length=length, concat=concat
        )
        _claim(parts, final)
        session.flush()
        return final

    def _require_whole(self, part: Upload) -> None:
        living(part)
        if part.concat != PARTIAL:
            raise InvalidInput(f"{part.id} is no partial upload: create it with Upload-Concat: {PARTIAL}")
        if part.final_id is not None:
            raise Conflict(f"partial upload {part.id} is part of upload {part.final_id} already: send its bytes anew")
        if (offset := self.uploads.safe_offset(part)) < part.length:
            raise Conflict(
                f"partial upload {part.id} has {offset} of its {part.length} bytes: finish it first",
                code="uploads_incomplete",
            )


def _claim(parts: Sequence[Upload], final: Upload) -> None:
    """Give the parts to a final upload: their bytes now count as its own, and they no longer expire."""
    for part in parts:
        part.final_id = final.id
        part.state = next_state(UploadState(part.state), "complete").value
        part.writer_token = None

"""Removes the bytes of what was deleted, given up or has expired. Steps may be repeated; the sweeper repeats them."""

from sqlalchemy.orm import Session

from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.states import UploadState, next_state
from adaptwin_core.service import upload_files
from adaptwin_core.store.blobs import get_blobs
from adaptwin_core.store.queries import erasure as rows

BATCH = 500


def expire_uploads(session: Session) -> int:
    """Give up open uploads whose time is over; return how many."""
    late = rows.expired_uploads(session, limit=BATCH)
    for upload in late:
        upload.state = next_state(UploadState(upload.state), "abort").value
        upload.writer_token = None
    return len(late)


def erase(session: Session) -> int:
    """Delete the blobs of uploads and datasets that are gone, unless something living holds the same bytes.

    Returns:
        How many blobs were let go.
    """
    num_erased = 0
    for upload in rows.unerased_uploads(session, limit=BATCH):
        num_erased += release(session, TenantScope(upload.tenant_id), upload.sha256)
        upload.sha256 = None
    for dataset in rows.unerased_datasets(session, limit=BATCH):
        for file in (dataset.files or {}).values():
            num_erased += release(session, TenantScope(dataset.tenant_id), file["sha256"])
        dataset.files = None
    return num_erased


def drop_files(session: Session) -> int:
    """Remove files in flight that no open upload owns; return how many."""
    names = upload_files.upload_ids()
    living = rows.open_ids(session, names)
    dead = [name for name in names if name not in living]
    for name in dead:
        upload_files.remove(name)
    return len(dead)


def release(session: Session, scope: TenantScope, sha256: str | None) -> int:
    """Delete a blob unless something living stands on it; return how many went."""
    if sha256 is None:
        return 0
    rows.hold_blobs(session, scope)
    if rows.blob_in_use(session, scope, sha256):
        return 0
    get_blobs().delete(sha256, scope=scope.tenant_id)
    return 1

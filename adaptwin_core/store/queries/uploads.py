"""Rows of uploads."""

from collections.abc import Sequence

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from adaptwin_core.domain.errors import NotFound
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.states import UploadState
from adaptwin_core.store.tables import Upload


def get(session: Session, scope: TenantScope, upload_id: str, *, lock: bool = False) -> Upload:
    """Return an upload in any state; `lock` holds its row until the transaction ends. Raises NotFound."""
    query = select(Upload).where(Upload.id == upload_id, Upload.tenant_id == scope.tenant_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    upload = session.scalar(query)
    if upload is None:
        raise NotFound(f"there is no upload {upload_id}")
    return upload


def of_dataset(session: Session, scope: TenantScope, dataset_id: str) -> Sequence[Upload]:
    """Return a dataset's uploads that were not given up, oldest first."""
    return session.scalars(
        select(Upload)
        .where(Upload.tenant_id == scope.tenant_id, Upload.dataset_id == dataset_id)
        .where(Upload.state != UploadState.ABORTED)
        .order_by(Upload.id)
    ).all()


def complete_of(session: Session, scope: TenantScope, dataset_id: str) -> Sequence[Upload]:
    """Return a dataset's uploads that have all their bytes, oldest first."""
    return session.scalars(
        select(Upload)
        .where(Upload.tenant_id == scope.tenant_id, Upload.dataset_id == dataset_id)
        .where(Upload.state == UploadState.COMPLETE)
        .order_by(Upload.id)
    ).all()


def of_label(session: Session, scope: TenantScope, dataset_id: str, label: str) -> Upload | None:
    """Return the upload of a dataset that has this label, unless it was given up or has expired."""
    return session.scalar(
        select(Upload)
        .where(Upload.tenant_id == scope.tenant_id, Upload.dataset_id == dataset_id, Upload.label == label)
        .where(Upload.state != UploadState.ABORTED)
        .where(or_(Upload.state != UploadState.OPEN, Upload.expires_at >= func.now()))
        .limit(1)
    )


def totals(session: Session, scope: TenantScope) -> tuple[int, int]:
    """Return how many uploads are open, and the bytes that open and complete ones have declared."""
    is_open = Upload.state == UploadState.OPEN
    num_open, reserved_bytes = session.execute(
        select(func.count().filter(is_open), func.coalesce(func.sum(Upload.length), 0))
        .where(Upload.tenant_id == scope.tenant_id)
        .where(Upload.state != UploadState.ABORTED)
    ).one()
    return int(num_open), int(reserved_bytes)

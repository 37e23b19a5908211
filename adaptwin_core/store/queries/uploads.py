"""Rows of uploads."""

from collections.abc import Sequence

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from adaptwin_core.domain.errors import NotFound
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.states import UploadState
from adaptwin_core.store.tables import Upload

_part = aliased(Upload)


def get(session: Session, scope: TenantScope, upload_id: str, *, lock: bool = False) -> Upload:
    """Return an upload in any state; `lock` holds its row until the transaction ends. Raises NotFound."""
    query = select(Upload).where(Upload.id == upload_id, Upload.tenant_id == scope.tenant_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    upload = session.scalar(query)
    if upload is None:
        raise NotFound(f"there is no upload {upload_id}")
    return upload


def lock_if_free(session: Session, scope: TenantScope, upload_id: str) -> bool:
    """Hold an upload's row until the transaction ends, unless somebody else does; tell whether it is held now."""
    query = select(Upload.id).where(Upload.id == upload_id, Upload.tenant_id == scope.tenant_id)
    return session.scalar(query.with_for_update(skip_locked=True)) is not None


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


def left_unjoined(session: Session, *, limit: int) -> Sequence[Upload]:
    """Return uploads whose parts are claimed and not yet joined, in random order, so that none waits behind one that
    cannot be joined. For the sweeper.
    """
    return session.scalars(
        select(Upload)
        .where(Upload.state == UploadState.OPEN, Upload.expires_at >= func.now())
        .where(exists().where(_part.final_id == Upload.id))
        .order_by(func.random())
        .limit(limit)
    ).all()


def totals(session: Session, scope: TenantScope) -> tuple[int, int]:
    """Return how many uploads are open, and the bytes that open and complete ones have declared.

    The bytes of a part that went into another upload count there.
    """
    is_open = Upload.state == UploadState.OPEN
    num_open, reserved_bytes = session.execute(
        select(func.count().filter(is_open), func.coalesce(func.sum(Upload.length), 0))
        .where(Upload.tenant_id == scope.tenant_id)
        .where(Upload.state != UploadState.ABORTED, Upload.final_id.is_(None))
    ).one()
    return int(num_open), int(reserved_bytes)

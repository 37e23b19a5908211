"""What a tenant may hold and what the disk can take, decided before the first byte arrives."""

import shutil
from pathlib import Path

from sqlalchemy.orm import Session

from adaptwin_core.domain.errors import LimitExceeded, ResourceExhausted
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.store.queries import auth, jobs, uploads
from adaptwin_core.store.settings import Settings


def admit_upload(session: Session, scope: TenantScope, length: int, settings: Settings) -> None:
    """Let an upload of `length` bytes be made in this transaction; others of the tenant wait until it ends.

    Raises:
        LimitExceeded: the file, the tenant's sum or the number of open uploads is past its cap.
        ResourceExhausted: the disk has no room for it.
    """
    _require_size(length, settings)
    lock(session, scope)
    num_open, reserved_bytes = uploads.totals(session, scope)
    if num_open >= settings.max_open_uploads:
        raise LimitExceeded(f"{num_open} uploads are open: finish or delete some first", code="too_many_uploads")
    left_bytes = settings.tenant_quota_bytes - reserved_bytes
    if length > left_bytes:
        raise LimitExceeded(
            f"your quota has {left_bytes} bytes left, this upload needs {length}: delete a dataset first",
            code="quota_exceeded",
        )
    require_disk(settings, length)


def admit_joined(length: int, settings: Settings) -> None:
    """Let parts become one file of `length` bytes: they count already, but both are on disk for a while.

    Raises:
        LimitExceeded: the file is past its cap.
        ResourceExhausted: the disk has no room for it.
    """
    _require_size(length, settings)
    require_disk(settings, length)


def lock(session: Session, scope: TenantScope) -> None:
    """Have other uploads of the tenant wait to be made until this transaction ends."""
    auth.lock_tenant(session, scope)


def require_disk(settings: Settings, length: int = 0) -> None:
    """Raise ResourceExhausted when `length` more bytes would leave too little room on the disk."""
    if free_disk_bytes(settings.data_dir) - length < settings.min_free_disk_bytes:
        raise ResourceExhausted("the server has no room for this file now: try again later", code="disk_full")


def free_disk_bytes(folder: Path) -> int:
    """Return the free bytes of the disk that holds `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    return shutil.disk_usage(folder).free


def _require_size(length: int, settings: Settings) -> None:
    if length > settings.max_upload_bytes:
        raise LimitExceeded(
            f"a file may have at most {settings.max_upload_bytes} bytes, this one has {length}: split it",
            code="upload_too_large",
        )


def require_job_room(session: Session, scope: TenantScope, limit: int) -> None:
    """Let a tenant have one more unfinished job. Raises LimitExceeded."""
    num_unfinished = jobs.num_unfinished(session, scope)
    if num_unfinished >= limit:
        raise LimitExceeded(
            f"{num_unfinished} of your jobs are unfinished, {limit} may be; wait for one, or cancel one"
        )

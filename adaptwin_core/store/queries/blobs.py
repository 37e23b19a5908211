"""What stands on a blob, and the lock under which that is asked. Equal bytes of a tenant are kept once."""

from typing import Any

from sqlalchemy import ColumnElement, cast, exists, select, text
from sqlalchemy.dialects.postgresql import JSONPATH
from sqlalchemy.orm import InstrumentedAttribute, Session

from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.states import DatasetState, UploadState
from adaptwin_core.store.tables import Dataset, Model, Result, Upload


def lock_shared(session: Session, scope: TenantScope) -> None:
    """Keep erasure out until the transaction ends: between storing a blob and the row that stands on it."""
    session.execute(text("SELECT pg_advisory_xact_lock_shared(hashtext(:name))"), {"name": _lock_name(scope)})


def try_lock_exclusive(session: Session, scope: TenantScope) -> bool:
    """Keep `lock_shared` out until the transaction ends: between asking whether a blob is used and deleting it.

    Returns:
        False, at once, while somebody has the lock.
    """
    query = text("SELECT pg_try_advisory_xact_lock(hashtext(:name))")
    return bool(session.scalar(query, {"name": _lock_name(scope)}))


def is_in_use(session: Session, scope: TenantScope, sha256: str) -> bool:
    """Tell whether anything of the tenant that is not deleted stands on this blob."""
    return bool(
        session.scalar(
            select(
                exists().where(
                    Upload.tenant_id == scope.tenant_id,
                    Upload.sha256 == sha256,
                    Upload.state != UploadState.ABORTED,
                )
                | exists().where(
                    Dataset.tenant_id == scope.tenant_id,
                    Dataset.state != DatasetState.DELETED,
                    _names(Dataset.files, "$.*.sha256", sha256),
                )
                | exists().where(Result.tenant_id == scope.tenant_id, _names(Result.files, "$.*.sha256", sha256))
                | exists().where(
                    Model.tenant_id == scope.tenant_id,
                    Model.deleted_at.is_(None),
                    _names(Model.manifest, "$.files.*.sha256", sha256)
                    | _names(Model.manifest, "$.exports.*.files.*.sha256", sha256),
                )
            )
        )
    )


def _lock_name(scope: TenantScope) -> str:
    return f"blobs {scope.tenant_id}"


def _names(column: InstrumentedAttribute[Any], path: str, sha256: str) -> ColumnElement[bool]:
    return column.bool_op("@?")(cast(f'{path} ? (@ == "{sha256}")', JSONPATH))

"""Rows of finished models."""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.store.tables import Model


def of_job(session: Session, scope: TenantScope, job_id: str) -> Model | None:
    """Return the model that a job made, unless it was deleted."""
    return session.scalar(
        select(Model).where(Model.job_id == job_id, Model.tenant_id == scope.tenant_id, Model.deleted_at.is_(None))
    )


def locked_of_job(session: Session, scope: TenantScope, job_id: str) -> Model:
    """Return the model that a job made, deleted or not, held until the transaction ends."""
    query = select(Model).where(Model.job_id == job_id, Model.tenant_id == scope.tenant_id)
    return session.scalars(query.with_for_update()).one()


def count_download(session: Session, scope: TenantScope, model_id: str) -> None:
    """Note that a model or one of its exports was downloaded."""
    session.execute(
        update(Model)
        .where(Model.id == model_id, Model.tenant_id == scope.tenant_id)
        .values(num_downloads=Model.num_downloads + 1)
    )

"""Rows of finished models."""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.store.tables import Model


def of_job(session: Session, scope: TenantScope, job_id: str) -> dict[int, Model]:
    """Return the models that a job made, by their places, without those that were deleted."""
    found = session.scalars(
        select(Model).where(Model.job_id == job_id, Model.tenant_id == scope.tenant_id, Model.deleted_at.is_(None))
    )
    return {model.place: model for model in found}


def locked_of_job(session: Session, scope: TenantScope, job_id: str, place: int) -> Model:
    """Return a model that a job made, deleted or not, held until the transaction ends."""
    query = select(Model).where(Model.job_id == job_id, Model.tenant_id == scope.tenant_id, Model.place == place)
    return session.scalars(query.with_for_update()).one()


def count_download(session: Session, scope: TenantScope, model_id: str) -> None:
    """Note that a model or one of its exports was downloaded."""
    session.execute(
        update(Model)
        .where(Model.id == model_id, Model.tenant_id == scope.tenant_id)
        .values(num_downloads=Model.num_downloads + 1)
    )

"""Rows of base models, which belong to no tenant."""

from collections.abc import Sequence

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from adaptwin_core.domain.states import TERMINAL_JOB_STATES
from adaptwin_core.store.tables import BaseModel, Job, JobMember


def locked(session: Session, base_model_id: str) -> BaseModel | None:
    """Return a base model, held until the transaction ends."""
    return session.get(BaseModel, base_model_id, with_for_update=True)


def all_by_name(session: Session) -> Sequence[BaseModel]:
    return session.scalars(select(BaseModel).order_by(BaseModel.id)).all()


def is_in_use(session: Session, base_model_id: str) -> bool:
    """Tell whether a job that has not ended starts from this model."""
    unfinished = exists().where(
        JobMember.base_model_id == base_model_id, JobMember.job_id == Job.id, Job.state.not_in(TERMINAL_JOB_STATES)
    )
    return bool(session.scalar(select(unfinished)))

"""What is to be erased, across tenants: for the sweeper, which serves them all. Doors never call these."""

from collections.abc import Sequence

from sqlalchemy import CompoundSelect, exists, func, select
from sqlalchemy.orm import Session, aliased

from adaptwin_core.domain.states import DatasetState, UploadState
from adaptwin_core.store.tables import Dataset, Job, Model, Result, Task, Upload


def expired_uploads(session: Session, *, limit: int) -> Sequence[Upload]:
    """Return open uploads whose time is over, locked; those that others hold are left for next time."""
    return session.scalars(
        select(Upload)
        .where(Upload.state == UploadState.OPEN, Upload.expires_at < func.now())
        .order_by(Upload.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()


def unerased_uploads(session: Session, *, limit: int) -> Sequence[Upload]:
    """Return uploads that were given up and whose bytes may still be kept, locked."""
    return session.scalars(
        select(Upload)
        .where(Upload.state == UploadState.ABORTED, Upload.sha256.is_not(None))
        .order_by(Upload.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()


def unerased_datasets(session: Session, *, limit: int) -> Sequence[Dataset]:
    """Return deleted datasets whose corpus may still be kept, locked."""
    return session.scalars(
        select(Dataset)
        .where(Dataset.state == DatasetState.DELETED, func.jsonb_typeof(Dataset.files) == "object")  # not JSON's null
        .order_by(Dataset.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()


def unerased_models(session: Session, *, limit: int) -> Sequence[Model]:
    """Return deleted models whose files may still be kept."""
    return session.scalars(
        select(Model).where(Model.deleted_at.is_not(None), Model.manifest["files"].is_not(None)).limit(limit)
    ).all()


def dead_results(session: Session, *, limit: int) -> Sequence[Result]:
    """Return results that only dead tasks made. A task is dead once its job's speech, or all its models, were deleted.

    A model that is not there yet is not deleted.
    """
    return session.scalars(select(Result).where(Result.key.in_(_keys_of_dead_tasks())).limit(limit)).all()


def open_ids(session: Session, upload_ids: Sequence[str]) -> set[str]:
    """Return which of these uploads still need their files: those that are open, or part of one that is."""
    final = aliased(Upload)
    goes_on = exists().where(final.id == Upload.final_id, final.state == UploadState.OPEN)
    query = select(Upload.id).where(Upload.id.in_(upload_ids), (Upload.state == UploadState.OPEN) | goes_on)
    return set(session.scalars(query))


def _keys_of_dead_tasks() -> CompoundSelect[str | None]:
    serves = (Model.job_id == Task.job_id) & Task.models.contains(func.to_jsonb(Model.place))
    is_dead = (
        (exists().where(serves) & ~exists().where(serves, Model.deleted_at.is_(None)))
        | exists().where(Dataset.id == Job.dataset_id, Dataset.deleted_at.is_not(None))
        | exists().where(Dataset.id == Job.general_dataset_id, Dataset.deleted_at.is_not(None))
    )
    tasks_of = select(Task.result_key).join(Job, Job.id == Task.job_id).where(Task.result_key.is_not(None))
    return tasks_of.where(is_dead).except_(tasks_of.where(~is_dead))

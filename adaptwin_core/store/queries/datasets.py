"""Rows of datasets."""

from collections.abc import Sequence
from typing import Literal

from sqlalchemy import exists, func, or_, select, update
from sqlalchemy.orm import Session

from adaptwin_core.domain.errors import NotFound
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.states import TERMINAL_JOB_STATES, DatasetState, TaskState, UploadState
from adaptwin_core.store.tables import Dataset, Job, Task, Upload


def get(
    session: Session, scope: TenantScope, dataset_id: str, *, lock: Literal["share", "update"] | None = None
) -> Dataset:
    """Return a dataset; a lock holds its row until the transaction ends. Raises NotFound: `gone` if it was deleted."""
    query = select(Dataset).where(Dataset.id == dataset_id, Dataset.tenant_id == scope.tenant_id)
    if lock:
        query = query.with_for_update(read=lock == "share").execution_options(populate_existing=True)
    dataset = session.scalar(query)
    if dataset is None:
        raise NotFound(f"there is no dataset {dataset_id}")
    if dataset.state == DatasetState.DELETED:
        raise NotFound(f"dataset {dataset_id} was deleted: upload the speech to a new one", code="gone")
    return dataset


def locked(session: Session, dataset_id: str) -> Dataset:
    """Return a dataset as it is now, held against other writers until the transaction ends. For its task's worker."""
    return session.get_one(Dataset, dataset_id, with_for_update={"key_share": True}, populate_existing=True)


def without_task(session: Session, *, limit: int) -> Sequence[Dataset]:
    """Return datasets that wait for a worker though no task of theirs is open, locked. For the sweeper."""
    is_open = exists().where(Task.dataset_id == Dataset.id, Task.state.in_([TaskState.QUEUED, TaskState.RUNNING]))
    return session.scalars(
        select(Dataset)
        .where(Dataset.state == DatasetState.PROBING, ~is_open)
        .limit(limit)
        .with_for_update(key_share=True)
    ).all()


def active_job(session: Session, scope: TenantScope, dataset_id: str) -> str | None:
    """Return the id of a job that still reads this dataset."""
    return session.scalar(
        select(Job.id)
        .where(Job.tenant_id == scope.tenant_id)
        .where(or_(Job.dataset_id == dataset_id, Job.general_dataset_id == dataset_id))
        .where(Job.state.not_in(TERMINAL_JOB_STATES))
        .limit(1)
    )


def abandon_work(session: Session, scope: TenantScope, dataset_id: str) -> None:
    """Give up a dataset's uploads and cancel its unfinished ingest."""
    session.execute(
        update(Upload)
        .where(Upload.tenant_id == scope.tenant_id, Upload.dataset_id == dataset_id)
        .where(Upload.state != UploadState.ABORTED)
        .values(state=UploadState.ABORTED.value, writer_token=None)
    )
    session.execute(
        update(Task)
        .where(Task.dataset_id == dataset_id, Task.state.in_([TaskState.QUEUED, TaskState.RUNNING]))
        .values(state=TaskState.CANCELLED.value, finished_at=func.now())
    )

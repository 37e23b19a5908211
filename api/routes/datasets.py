"""/v1/datasets"""

from typing import Annotated, Literal

from fastapi import APIRouter, BackgroundTasks, Query, Response
from sqlalchemy.orm import Session

from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.states import DatasetState
from adaptwin_core.rest.base import Page
from adaptwin_core.rest.datasets import ClipOut, DatasetOut, DatasetSummary, NewDataset, UploadOut
from adaptwin_core.service import datasets
from adaptwin_core.store.tables import Dataset
from api.deps import After, Limit, Running, Scope, TenantRoute, announce, erase_now, page_of
from api.path_ids import DatasetId
from api.problems import documented

# The states that a list shows: what is deleted is gone from it.
ShownState = Literal["open", "probing", "ready", "failed"]
InState = Annotated[ShownState | None, Query(description="List only datasets in this state.")]

router = APIRouter(prefix="/v1/datasets", tags=["datasets"], route_class=TenantRoute)


@router.post("", status_code=201, responses=documented(400, 413))
def create_dataset(body: NewDataset, scope: Scope, service: Running, response: Response) -> DatasetOut:
    """Make a dataset for the speech of one speaker, or of other people. Then upload files to it, and seal it."""
    with service.database.transaction() as session:
        dataset = datasets.create(session, scope, name=body.name)
        session.refresh(dataset)
        response.headers["Location"] = f"/v1/datasets/{dataset.id}"
        return _shown(session, scope, dataset)


@router.get("")
def list_datasets(
    scope: Scope, service: Running, after: After = None, limit: Limit = 50, state: InState = None
) -> Page[DatasetSummary]:
    """List datasets, newest first."""
    wanted = None if state is None else DatasetState(state)
    with service.database.transaction() as session:
        found = datasets.list_datasets(session, scope, after=after, limit=limit + 1, state=wanted)
        rows, has_more = page_of(found, limit)
        return Page(items=[DatasetSummary.model_validate(row) for row in rows], has_more=has_more)


@router.get("/{dataset_id}", responses=documented(404, 410))
def get_dataset(dataset_id: DatasetId, scope: Scope, service: Running) -> DatasetOut:
    """Show a dataset with its uploads and, once its audio is read, the report on it."""
    with service.database.transaction() as session:
        return _shown(session, scope, datasets.get(session, scope, dataset_id))


@router.post("/{dataset_id}/seal", status_code=202, responses=documented(404, 409, 410, 507))
def seal_dataset(dataset_id: DatasetId, scope: Scope, service: Running, background: BackgroundTasks) -> DatasetOut:
    """Close a dataset to uploads, and have its audio read. Poll it until it is ready or failed.

    While a file is still being stored, the answer is 409 with `Retry-After`.
    """
    with service.database.transaction() as session:
        shown = _shown(session, scope, datasets.seal(session, scope, dataset_id, uploads=service.uploads))
    background.add_task(announce, service)
    return shown


@router.get("/{dataset_id}/clips", responses=documented(404, 409, 410))
def list_clips(
    dataset_id: DatasetId, scope: Scope, service: Running, after: After = None, limit: Limit = 50
) -> Page[ClipOut]:
    """List the clips that a ready dataset was cut into."""
    with service.database.transaction() as session:
        found = datasets.clips(session, scope, dataset_id, blobs=service.blobs, after=after, limit=limit + 1)
        rows, has_more = page_of(found, limit)
    return Page(items=[ClipOut.model_validate(row) for row in rows], has_more=has_more)


@router.delete("/{dataset_id}", status_code=204, responses=documented(404, 409, 410))
def delete_dataset(dataset_id: DatasetId, scope: Scope, service: Running) -> None:
    """Delete a dataset, its audio and what was measured on it. This cannot be undone.

    Models made from it stay, but can no longer be exported, since an export is scored on that speech.
    """
    with service.database.transaction() as session:
        datasets.delete(session, scope, dataset_id)
    erase_now(service)


def _shown(session: Session, scope: TenantScope, dataset: Dataset) -> DatasetOut:
    uploads = [UploadOut.model_validate(row) for row in datasets.list_uploads(session, scope, dataset.id)]
    return DatasetOut.model_validate(dataset).model_copy(update={"uploads": uploads})

"""A dataset's life: open for uploads, sealed and read by a worker, ready for jobs, deleted."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func
from sqlalchemy.orm import Session

from adaptwin_core.domain.audio import seconds_of
from adaptwin_core.domain.errors import Conflict, NotFound, NotYet
from adaptwin_core.domain.ids import new_id
from adaptwin_core.domain.manifests import CORPUS_MANIFEST
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.splits import Split
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.states import DatasetState, UploadState, next_state
from adaptwin_core.domain.task_keys import DatasetKey
from adaptwin_core.service import pipeline, readiness
from adaptwin_core.service.uploads import Uploads
from adaptwin_core.store.blobs import BlobStore
from adaptwin_core.store.queries import datasets as queries
from adaptwin_core.store.queries import owned
from adaptwin_core.store.queries import uploads as upload_queries
from adaptwin_core.store.tables import Dataset, Upload

NUM_NAMES_SHOWN = 5


@dataclass(frozen=True)
class Clip:
    """A stretch of speech, as its owner sees it."""

    id: str
    recording: str
    split: Split
    seconds: float
    text: str | None


def create(session: Session, scope: TenantScope, *, name: str) -> Dataset:
    """Make an open dataset."""
    dataset = Dataset(id=new_id("ds"), tenant_id=scope.tenant_id, name=name, state=DatasetState.OPEN.value)
    session.add(dataset)
    session.flush()
    return dataset


def get(session: Session, scope: TenantScope, dataset_id: str) -> Dataset:
    """Return a dataset. Raises NotFound."""
    return queries.get(session, scope, dataset_id)


def list_datasets(
    session: Session, scope: TenantScope, *, after: str | None, limit: int, state: DatasetState | None = None
) -> Sequence[Dataset]:
    """Return datasets, newest first, from the one after id `after` on, in one state or in all."""
    return owned.newest_first(session, scope, Dataset, after=after, limit=limit, state=state)


def list_uploads(session: Session, scope: TenantScope, dataset_id: str) -> Sequence[Upload]:
    """Return a dataset's uploads, oldest first."""
    return upload_queries.of_dataset(session, scope, dataset_id)


def seal(session: Session, scope: TenantScope, dataset_id: str, *, uploads: Uploads) -> Dataset:
    """Close a dataset to uploads and have a worker read it.

    Raises:
        NotFound: no such dataset, or it was deleted.
        Conflict: it failed, is sealed already, is empty, or an upload is incomplete.
        NotYet: an upload has all its bytes and is not stored yet. To wait for that could take minutes.
    """
    dataset = queries.get(session, scope, dataset_id, lock="update")
    readiness.require_unsealed(dataset)
    state = next_state(DatasetState(dataset.state), "seal")
    rows = upload_queries.of_dataset(session, scope, dataset_id)
    if not rows:
        raise Conflict("upload at least one file first", code="dataset_empty")
    _finish(session, scope, [row for row in rows if row.state == UploadState.OPEN], uploads)
    dataset.state = state.value
    pipeline.add_task(session, Stage.INGEST, DatasetKey(), dataset_id=dataset.id)
    session.flush()
    return dataset


def clips(
    session: Session, scope: TenantScope, dataset_id: str, *, blobs: BlobStore, after: str | None, limit: int
) -> Sequence[Clip]:
    """Return clips of a ready dataset in the corpus's order, from the one after id `after` on.

    Raises:
        NotFound: no such dataset, or no such clip to go on after.
        Conflict: the dataset is not ready, or failed.
        CorruptBlob: its manifest is damaged.
    """
    dataset = queries.get(session, scope, dataset_id)
    readiness.require_ready(dataset)
    manifest = blobs.fetch((dataset.files or {})[CORPUS_MANIFEST].sha256, scope=scope.tenant_id)
    rows = json.loads(manifest.read_bytes())["clips"]
    start = 0 if after is None else next((i + 1 for i, row in enumerate(rows) if row["id"] == after), None)
    if start is None:
        raise NotFound(f"the dataset has no clip {after}")
    return [_clip(row) for row in rows[start : start + limit]]


def delete(session: Session, scope: TenantScope, dataset_id: str) -> None:
    """Delete a dataset with its audio. `erasure` removes the bytes; finished jobs keep their results.

    Raises:
        NotFound: no such dataset.
        Conflict: a job still reads it.
    """
    dataset = queries.get(session, scope, dataset_id, lock="update")
    job_id = queries.active_job(session, scope, dataset_id)
    if job_id is not None:
        raise Conflict(f"job {job_id} still reads this dataset: cancel it or let it end first", code="dataset_in_use")
    dataset.state = next_state(DatasetState(dataset.state), "delete").value
    dataset.deleted_at = func.now()
    queries.abandon_work(session, scope, dataset_id)


def _clip(row: dict[str, Any]) -> Clip:
    seconds = seconds_of(row["num_samples"])
    return Clip(row["id"], row["recording"], row["split"], seconds, row["text"])


def _finish(session: Session, scope: TenantScope, rows: Sequence[Upload], uploads: Uploads) -> None:
    """Do the last step of open uploads that lack nothing else.

    Raises:
        Conflict: an upload is incomplete.
        NotYet: a request is at one, or its parts wait to be joined.
    """
    incomplete, being_stored = [], []
    for row in rows:
        if not uploads.is_whole(row):
            session.refresh(row)  # what was stored just now has no files any more
            if row.state == UploadState.OPEN:
                incomplete.append(row)
        elif row.part_ids or not upload_queries.lock_if_free(session, scope, row.id):
            being_stored.append(row)
        else:
            uploads.complete(session, scope, row.id)
    if incomplete:
        raise Conflict(f"still uploading: finish or delete {_names(incomplete)}", code="uploads_incomplete")
    if being_stored:
        what = f"still being stored: {_names(being_stored)}. Seal again in a few seconds"
        raise NotYet(what, code="uploads_being_stored")


def _names(rows: Sequence[Upload]) -> str:
    names = ", ".join(row.file_name for row in rows[:NUM_NAMES_SHOWN])
    return names + (f" and {len(rows) - NUM_NAMES_SHOWN} more" if len(rows) > NUM_NAMES_SHOWN else "")

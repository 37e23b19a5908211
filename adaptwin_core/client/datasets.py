"""Datasets: made, filled, sealed, read, deleted."""

from pathlib import Path

import anyio
from anyio import to_thread

from adaptwin_core.client import tus
from adaptwin_core.client.connection import Connection
from adaptwin_core.client.errors import Failed, ServiceError
from adaptwin_core.client.folder import file_at, files_in
from adaptwin_core.client.progress import OnProgress
from adaptwin_core.client.sending import Sender, Sent
from adaptwin_core.domain.states import DatasetState
from adaptwin_core.rest.base import Page
from adaptwin_core.rest.datasets import ClipOut, DatasetOut, DatasetSummary, NewDataset

POLL_S = 1.0
BEING_STORED = "uploads_being_stored"
STORING_PATIENCE_S = 1800.0  # the largest files, on a slow disk and one after the other
DATASETS = "/v1/datasets"


class AsyncDatasets:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def create(self, name: str) -> DatasetOut:
        """Make a dataset for the speech of one speaker, or of other people.

        Raises:
            Unreachable: no answer came. The dataset may have been made: `all` tells.
        """
        return await self._connection.post(DATASETS, DatasetOut, NewDataset(name=name))

    async def upload_folder(
        self, dataset_id: str, folder: str | Path, *, on_progress: OnProgress | None = None, num_parallel: int = 4
    ) -> Sent:
        """Send every file of a folder, several at a time, under its path in the folder.

        After any break it goes on, also in another process: call it again with the same dataset. Files that the dataset
        has already are not sent again.

        Raises:
            NothingToSend: there is no such folder, or no file in it.
            DifferentFile: the dataset has other bytes under the name of a file.
        """
        files, left_out = await to_thread.run_sync(files_in, Path(folder))
        sender = Sender(self._connection, dataset_id)
        return await sender.send(files, left_out, num_parallel=num_parallel, on_progress=on_progress)

    async def upload_file(
        self, dataset_id: str, path: str | Path, *, name: str | None = None, on_progress: OnProgress | None = None
    ) -> Sent:
        """Send one file, such as a tar or zip of a folder. After a break it goes on, as `upload_folder` does."""
        file = await to_thread.run_sync(file_at, Path(path), name)
        return await Sender(self._connection, dataset_id).send([file], num_parallel=1, on_progress=on_progress)

    async def delete_upload(self, upload_id: str) -> None:
        """Take a file out of a dataset that is not sealed, or give up an upload."""
        await self._connection.delete(tus.path_of(upload_id), tus.VERSION)

    async def seal(self, dataset_id: str) -> DatasetOut:
        """Close a dataset to uploads, and have the service read it. Waits while the service still stores a file."""
        give_up_at = anyio.current_time() + STORING_PATIENCE_S
        while True:
            try:
                return await self._connection.post(f"{DATASETS}/{dataset_id}/seal", DatasetOut, may_repeat=True)
            except ServiceError as refusal:
                if refusal.after_break and refusal.code == "dataset_sealed":  # by the try whose answer was lost
                    return await self.get(dataset_id)
                if refusal.code != BEING_STORED or anyio.current_time() >= give_up_at:
                    raise
            await anyio.sleep(POLL_S)

    async def wait(self, dataset_id: str) -> DatasetOut:
        """Wait until the service has read a sealed dataset, and return it with its report.

        Raises:
            Failed: its speech cannot be used, or it is not sealed.
        """
        while True:
            dataset = await self.get(dataset_id)
            what = f"the speech of {dataset.name}"
            if dataset.state is DatasetState.READY:
                return dataset
            if dataset.error is not None:
                raise Failed(what, dataset.error.code, dataset.error.message)
            if dataset.state is not DatasetState.PROBING:
                raise Failed(what, dataset.state, "nothing will read it: seal it first")
            await anyio.sleep(POLL_S)

    async def get(self, dataset_id: str) -> DatasetOut:
        """Return a dataset with its uploads and, once it is read, its report."""
        return await self._connection.get(f"{DATASETS}/{dataset_id}", DatasetOut)

    async def all(self) -> list[DatasetSummary]:
        """Return every dataset, newest first."""
        return await self._connection.all(DATASETS, Page[DatasetSummary])

    async def clips(self, dataset_id: str) -> list[ClipOut]:
        """Return every clip that a dataset was cut into."""
        return await self._connection.all(f"{DATASETS}/{dataset_id}/clips", Page[ClipOut])

    async def delete(self, dataset_id: str) -> None:
        """Delete a dataset, its speech and what was measured on it. This cannot be undone."""
        await self._connection.delete(f"{DATASETS}/{dataset_id}")

"""Finished models, and their exports for other runtimes."""

from pathlib import Path

import anyio

from adaptwin_core.client.archives import fetch_archive
from adaptwin_core.client.connection import Connection
from adaptwin_core.client.errors import Failed, NotUnderstood
from adaptwin_core.client.fetching import Fetcher
from adaptwin_core.client.progress import OnProgress
from adaptwin_core.domain.exports import ExportName
from adaptwin_core.domain.states import ExportState
from adaptwin_core.rest.base import Page
from adaptwin_core.rest.models import (
    DAY_S,
    ExportFormatOut,
    ExportOut,
    LinkOut,
    ModelOut,
    ModelSummary,
    NewExport,
    NewLink,
)

POLL_S = 1.0
MODELS = "/v1/models"


class AsyncModels:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def get(self, model_id: str) -> ModelOut:
        """Return a model with its manifest, which holds the figures of its report."""
        return await self._connection.get(f"{MODELS}/{model_id}", ModelOut)

    async def all(self) -> list[ModelSummary]:
        """Return every finished model, newest first."""
        return await self._connection.all(MODELS, Page[ModelSummary])

    async def download(self, model_id: str, folder: str | Path, *, on_progress: OnProgress | None = None) -> ModelOut:
        """Download every file of a model into a folder, each checked by its SHA-256.

        After any break it goes on, also in another process: call it again with the same folder.

        Raises:
            DamagedDownload: bytes came that are not those of the file.
        """
        model = await self.get(model_id)
        await Fetcher(self._connection, f"{MODELS}/{model_id}/files").fetch(model.files, Path(folder), on_progress)
        return model

    async def archive(self, model_id: str, path: str | Path, *, on_progress: OnProgress | None = None) -> ModelOut:
        """Download all files of a model as one tar archive, which is written to `path`.

        It goes on after any break as `download` does, and each file in it is checked by its SHA-256.

        Raises:
            DamagedDownload: the archive came, and does not hold the files of the model.
        """
        model = await self.get(model_id)
        await fetch_archive(self._connection, f"{MODELS}/{model_id}/archive", model.files, Path(path), on_progress)
        return model

    async def link(
        self, model_id: str, *, export: ExportName | None = None, file: str | None = None, expires_in_s: int = DAY_S
    ) -> LinkOut:
        """Make a link that downloads without a key, at the address by which this client reaches the service.

        Args:
            export: the export to download, rather than the model itself.
            file: the one file to download, rather than the archive of all.
            expires_in_s: seconds until the link ends, at most seven days. It also ends with this client's key.
        """
        body = NewLink(export=export, file=file, expires_in_s=expires_in_s)
        model = f"{MODELS}/{model_id}"
        link = await self._connection.post(f"{model}/links", LinkOut, body, may_repeat=True)
        _, found, rest = link.url.partition(f"{model}/")
        if not found:
            raise NotUnderstood("the service made a link to something else: check that the address is AdaPTwin's")
        return link.model_copy(update={"url": f"{self._connection.url}{found}{rest}"})

    async def delete(self, model_id: str) -> None:
        """Delete a model and its exports. This cannot be undone."""
        await self._connection.delete(f"{MODELS}/{model_id}")


class AsyncExports:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def formats(self) -> list[ExportFormatOut]:
        """Return the formats that a model can be exported to."""
        return (await self._connection.get("/v1/export-formats", Page[ExportFormatOut])).items

    async def request(self, model_id: str, form: ExportName) -> ExportOut:
        """Have a model exported. A second request shows what is there, and tries a failed export again."""
        return await self._connection.post(_of(model_id), ExportOut, NewExport(format=form), may_repeat=True)

    async def get(self, model_id: str, form: ExportName) -> ExportOut:
        """Return an export with its progress, its verdict and its files."""
        return await self._connection.get(f"{_of(model_id)}/{form}", ExportOut)

    async def all(self, model_id: str) -> list[ExportOut]:
        """Return the exports of a model that were requested."""
        return (await self._connection.get(_of(model_id), Page[ExportOut])).items

    async def wait(self, model_id: str, form: ExportName) -> ExportOut:
        """Wait until a requested export is ready, and return it.

        Raises:
            Failed: it could not be made, or transcribes worse than the model.
        """
        while True:
            export = await self.get(model_id, form)
            match export.state:
                case ExportState.READY:
                    return export
                case ExportState.FAILED:
                    assert export.error is not None
                    raise Failed(f"the export {form}", export.error.code, export.error.message)
                case ExportState.REFUSED:
                    raise Failed(f"the export {form}", "refused", str((export.verdict or {}).get("why")))
            await anyio.sleep(POLL_S)

    async def download(
        self, model_id: str, form: ExportName, folder: str | Path, *, on_progress: OnProgress | None = None
    ) -> ExportOut:
        """Download every file of a ready export into a folder, as `models.download` does."""
        export = await self._ready(model_id, form)
        await Fetcher(self._connection, f"{_of(model_id)}/{form}/files").fetch(export.files, Path(folder), on_progress)
        return export

    async def archive(
        self, model_id: str, form: ExportName, path: str | Path, *, on_progress: OnProgress | None = None
    ) -> ExportOut:
        """Download all files of a ready export as one tar archive, as `models.archive` does."""
        export = await self._ready(model_id, form)
        where = f"{_of(model_id)}/{form}/archive"
        await fetch_archive(self._connection, where, export.files, Path(path), on_progress)
        return export

    async def _ready(self, model_id: str, form: ExportName) -> ExportOut:
        export = await self.get(model_id, form)
        if export.state is not ExportState.READY:
            raise Failed(f"the export {form}", export.state, "it has no files to download: wait until it is ready")
        return export


def _of(model_id: str) -> str:
    return f"{MODELS}/{model_id}/exports"

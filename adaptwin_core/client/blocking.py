"""The groups of routes for code that does not await."""

from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from pathlib import Path

from adaptwin_core.client.datasets import AsyncDatasets
from adaptwin_core.client.jobs import AsyncJobs
from adaptwin_core.client.loop import Loop
from adaptwin_core.client.models import AsyncExports, AsyncModels
from adaptwin_core.client.progress import OnProgress
from adaptwin_core.client.sending import Sent
from adaptwin_core.client.webhooks import AsyncWebhooks
from adaptwin_core.domain.exports import ExportName
from adaptwin_core.domain.webhooks import EventType
from adaptwin_core.rest.datasets import ClipOut, DatasetOut, DatasetSummary
from adaptwin_core.rest.jobs import EventOut, JobOut, JobSummary, NewJob
from adaptwin_core.rest.models import DAY_S, ExportFormatOut, ExportOut, LinkOut, ModelOut, ModelSummary
from adaptwin_core.rest.transcriptions import VerboseTranscription
from adaptwin_core.rest.webhooks import DeliveryOut, WebhookChange, WebhookMade, WebhookOut


class Datasets:
    """As `AsyncDatasets`, which says what each method does."""

    def __init__(self, loop: Loop, service: AsyncDatasets) -> None:
        self._run, self._service = loop.run, service

    def create(self, name: str) -> DatasetOut:
        return self._run(self._service.create, name)

    def upload_folder(
        self, dataset_id: str, folder: str | Path, *, on_progress: OnProgress | None = None, num_parallel: int = 4
    ) -> Sent:
        send = self._service.upload_folder
        return self._run(send, dataset_id, folder, on_progress=on_progress, num_parallel=num_parallel)

    def upload_file(
        self, dataset_id: str, path: str | Path, *, name: str | None = None, on_progress: OnProgress | None = None
    ) -> Sent:
        return self._run(self._service.upload_file, dataset_id, path, name=name, on_progress=on_progress)

    def delete_upload(self, upload_id: str) -> None:
        self._run(self._service.delete_upload, upload_id)

    def seal(self, dataset_id: str) -> DatasetOut:
        return self._run(self._service.seal, dataset_id)

    def wait(self, dataset_id: str) -> DatasetOut:
        return self._run(self._service.wait, dataset_id)

    def get(self, dataset_id: str) -> DatasetOut:
        return self._run(self._service.get, dataset_id)

    def all(self) -> list[DatasetSummary]:
        return self._run(self._service.all)

    def clips(self, dataset_id: str) -> list[ClipOut]:
        return self._run(self._service.clips, dataset_id)

    def delete(self, dataset_id: str) -> None:
        self._run(self._service.delete, dataset_id)


class Jobs:
    """As `AsyncJobs`, which says what each method does."""

    def __init__(self, loop: Loop, service: AsyncJobs) -> None:
        self._run, self._service = loop.run, service

    def submit(self, job: NewJob) -> JobOut:
        return self._run(self._service.submit, job)

    def get(self, job_id: str) -> JobOut:
        return self._run(self._service.get, job_id)

    def all(self) -> list[JobSummary]:
        return self._run(self._service.all)

    def follow(self, job_id: str, *, after: int = 0) -> Iterator[EventOut]:
        events = self._service.follow(job_id, after=after)
        try:
            while (event := self._run(_next, events)) is not None:
                yield event
        finally:
            self._run(events.aclose)

    def wait(self, job_id: str, on_event: Callable[[EventOut], None] | None = None) -> JobOut:
        return self._run(self._service.wait, job_id, on_event)

    def cancel(self, job_id: str) -> JobOut:
        return self._run(self._service.cancel, job_id)

    def pause(self, job_id: str) -> JobOut:
        return self._run(self._service.pause, job_id)

    def resume(self, job_id: str) -> JobOut:
        return self._run(self._service.resume, job_id)

    def retry(self, job_id: str) -> JobOut:
        return self._run(self._service.retry, job_id)


class Models:
    """As `AsyncModels`, which says what each method does."""

    def __init__(self, loop: Loop, service: AsyncModels) -> None:
        self._run, self._service = loop.run, service

    def get(self, model_id: str) -> ModelOut:
        return self._run(self._service.get, model_id)

    def all(self) -> list[ModelSummary]:
        return self._run(self._service.all)

    def download(self, model_id: str, folder: str | Path, *, on_progress: OnProgress | None = None) -> ModelOut:
        return self._run(self._service.download, model_id, folder, on_progress=on_progress)

    def transcribe(
        self,
        model_id: str,
        path: str | Path,
        *,
        language: str | None = None,
        prompt: str | None = None,
        temperature: float | None = None,
    ) -> VerboseTranscription:
        hear = self._service.transcribe
        return self._run(hear, model_id, path, language=language, prompt=prompt, temperature=temperature)

    def archive(self, model_id: str, path: str | Path, *, on_progress: OnProgress | None = None) -> ModelOut:
        return self._run(self._service.archive, model_id, path, on_progress=on_progress)

    def link(
        self, model_id: str, *, export: ExportName | None = None, file: str | None = None, expires_in_s: int = DAY_S
    ) -> LinkOut:
        return self._run(self._service.link, model_id, export=export, file=file, expires_in_s=expires_in_s)

    def delete(self, model_id: str) -> None:
        self._run(self._service.delete, model_id)


class Exports:
    """As `AsyncExports`, which says what each method does."""

    def __init__(self, loop: Loop, service: AsyncExports) -> None:
        self._run, self._service = loop.run, service

    def formats(self) -> list[ExportFormatOut]:
        return self._run(self._service.formats)

    def request(self, model_id: str, form: ExportName) -> ExportOut:
        return self._run(self._service.request, model_id, form)

    def get(self, model_id: str, form: ExportName) -> ExportOut:
        return self._run(self._service.get, model_id, form)

    def all(self, model_id: str) -> list[ExportOut]:
        return self._run(self._service.all, model_id)

    def wait(self, model_id: str, form: ExportName) -> ExportOut:
        return self._run(self._service.wait, model_id, form)

    def download(
        self, model_id: str, form: ExportName, folder: str | Path, *, on_progress: OnProgress | None = None
    ) -> ExportOut:
        return self._run(self._service.download, model_id, form, folder, on_progress=on_progress)

    def archive(
        self, model_id: str, form: ExportName, path: str | Path, *, on_progress: OnProgress | None = None
    ) -> ExportOut:
        return self._run(self._service.archive, model_id, form, path, on_progress=on_progress)


class Webhooks:
    """As `AsyncWebhooks`, which says what each method does."""

    def __init__(self, loop: Loop, service: AsyncWebhooks) -> None:
        self._run, self._service = loop.run, service

    def create(self, url: str, events: Sequence[EventType] | None = None) -> WebhookMade:
        return self._run(self._service.create, url, events)

    def get(self, webhook_id: str) -> WebhookOut:
        return self._run(self._service.get, webhook_id)

    def all(self) -> list[WebhookOut]:
        return self._run(self._service.all)

    def change(self, webhook_id: str, change: WebhookChange) -> WebhookOut:
        return self._run(self._service.change, webhook_id, change)

    def delete(self, webhook_id: str) -> None:
        self._run(self._service.delete, webhook_id)

    def test(self, webhook_id: str) -> DeliveryOut:
        return self._run(self._service.test, webhook_id)

    def deliveries(self, webhook_id: str) -> list[DeliveryOut]:
        return self._run(self._service.deliveries, webhook_id)

    def resend(self, webhook_id: str, delivery_id: str) -> DeliveryOut:
        return self._run(self._service.resend, webhook_id, delivery_id)


async def _next(events: AsyncGenerator[EventOut, None]) -> EventOut | None:
    return await anext(events, None)

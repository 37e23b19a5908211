"""The client that waits for each answer. It runs the one to await in a thread, which also calls what it is given."""

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from anyio.from_thread import start_blocking_portal

from adaptwin_core.client.async_client import AsyncClient
from adaptwin_core.client.blocking import Datasets, Exports, Jobs, Models, Webhooks
from adaptwin_core.client.loop import Loop
from adaptwin_core.client.waiting import PATIENCE, Patience
from adaptwin_core.rest.estimates import EstimateOut
from adaptwin_core.rest.health import Ready
from adaptwin_core.rest.jobs import NewJob
from adaptwin_core.rest.models import BaseModelOut


class Client:
    """One service and key, as `AsyncClient`, for code that does not await."""

    def __init__(self, url: str | None = None, key: str | None = None, *, patience: Patience = PATIENCE) -> None:
        self._service = AsyncClient(url, key, patience=patience)
        self.url = self._service.url
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        portal = self._stack.enter_context(start_blocking_portal())
        self._stack.enter_context(portal.wrap_async_context_manager(self._service))
        loop = Loop(portal)
        self._run = loop.run
        self.datasets = Datasets(loop, self._service.datasets)
        self.jobs = Jobs(loop, self._service.jobs)
        self.models = Models(loop, self._service.models)
        self.exports = Exports(loop, self._service.exports)
        self.webhooks = Webhooks(loop, self._service.webhooks)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def base_models(self) -> list[BaseModelOut]:
        return self._run(self._service.base_models)

    def estimate(self, job: NewJob) -> EstimateOut:
        return self._run(self._service.estimate, job)

    def ready(self) -> Ready:
        return self._run(self._service.ready)

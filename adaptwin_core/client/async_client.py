"""The client to await: one service, its routes in groups."""

from types import TracebackType
from typing import Self

import httpx

from adaptwin_core.client.address import address_of
from adaptwin_core.client.connection import Connection
from adaptwin_core.client.datasets import AsyncDatasets
from adaptwin_core.client.jobs import AsyncJobs
from adaptwin_core.client.models import AsyncExports, AsyncModels
from adaptwin_core.client.waiting import PATIENCE, Patience
from adaptwin_core.client.webhooks import AsyncWebhooks
from adaptwin_core.rest.base import Page
from adaptwin_core.rest.estimates import EstimateOut
from adaptwin_core.rest.health import Ready
from adaptwin_core.rest.jobs import NewJob
from adaptwin_core.rest.models import BaseModelOut

TIMEOUT = httpx.Timeout(60.0, connect=15.0)  # a stream of events is never silent for longer than 15 s


class AsyncClient:
    """One service and key.

    Args:
        url: where the service answers; else what ADAPTWIN_URL says.
        key: an API key; else what ADAPTWIN_KEY says.
        patience: how often what broke off is tried again.

    Raises:
        NoAddress: the URL or the key is missing, or cannot be one.
    """

    def __init__(self, url: str | None = None, key: str | None = None, *, patience: Patience = PATIENCE) -> None:
        address = address_of(url, key)
        self.url = address.url
        self._http = httpx.AsyncClient(base_url=address.url, headers=address.headers, timeout=TIMEOUT)
        self._connection = Connection(self._http, patience)
        self.datasets = AsyncDatasets(self._connection)
        self.jobs = AsyncJobs(self._connection)
        self.models = AsyncModels(self._connection)
        self.exports = AsyncExports(self._connection)
        self.webhooks = AsyncWebhooks(self._connection)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def base_models(self) -> list[BaseModelOut]:
        """Return the models that a job may start from."""
        return (await self._connection.get("/v1/base-models", Page[BaseModelOut])).items

    async def estimate(self, job: NewJob) -> EstimateOut:
        """Return what a job would be: its size, its time, and everything that submitting it would refuse."""
        return await self._connection.post("/v1/estimates", EstimateOut, job, may_repeat=True)

    async def ready(self) -> Ready:
        """Return what the service says of its health. Raises ServiceError if it cannot serve requests."""
        return await self._connection.get("/v1/health/ready", Ready)

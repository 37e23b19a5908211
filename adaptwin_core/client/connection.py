"""Requests to one service: one try, or as many as are safe."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeVar

import httpx
from pydantic import BaseModel

from adaptwin_core.client.answers import TOO_MANY, refusal_of, understood
from adaptwin_core.client.errors import Busy, ServiceError
from adaptwin_core.client.waiting import BREAKS, Patience, Tries, given_up
from adaptwin_core.rest.base import Page

A = TypeVar("A", bound=BaseModel)


class Item(Protocol):
    """What a list goes on after."""

    @property
    def id(self) -> str | int: ...


ItemT = TypeVar("ItemT", bound=Item)

PAGE_ITEMS = 200
REPEATABLE = {"GET", "HEAD", "DELETE"}
GONE = {404, 410}
DID_NOTHING = {"no_worker"}  # codes of refusals that leave nothing behind
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class Connection:
    """What all groups of routes send their requests through."""

    def __init__(self, http: httpx.AsyncClient, patience: Patience) -> None:
        self._http, self._patience = http, patience

    @property
    def url(self) -> str:
        """Where this client reaches the service, without a slash at its end."""
        return str(self._http.base_url).rstrip("/")

    def tries(self) -> Tries:
        return Tries(self._patience, str(self._http.base_url))

    @asynccontextmanager
    async def stream(self, method: str, path: str, **request: Any) -> AsyncIterator[httpx.Response]:
        """Send a request once, and give the answer before its body is read.

        Raises:
            httpx.TransportError: the connection broke.
            ServiceError: the request was refused; Busy if it may be sent again.
        """
        async with self._http.stream(method, path, **request) as response:
            if not response.is_success:
                await response.aread()
                raise refusal_of(response)
            yield response

    async def once(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Send a request once, and return the answer. Raises what `stream` does."""
        async with self.stream(method, path, **request) as response:
            await response.aread()
            return response

    async def ask(self, method: str, path: str, *, may_repeat: bool = False, **request: Any) -> httpx.Response:
        """Send a request, again after a break where that is safe.

        Args:
            may_repeat: the request does no more if it comes twice.

        Raises:
            ServiceError: it was refused. `after_break` tells whether an earlier try may have been done unheard.
            Unreachable: no answer came.
        """
        tries = self.tries()
        has_broken = False
        while True:
            try:
                return await self.once(method, path, **request)
            except BREAKS as fault:
                if _may_be_done(fault):
                    has_broken = True
                    if not (may_repeat or method in REPEATABLE):
                        raise given_up(fault, str(self._http.base_url)) from fault
                await tries.wait(fault)
            except ServiceError as refusal:
                refusal.after_break = has_broken
                raise

    async def get(self, path: str, answer: type[A], params: Mapping[str, str | int] | None = None) -> A:
        """Return what is at a path."""
        return understood((await self.ask("GET", path, params=params)).content, answer)

    async def post(
        self,
        path: str,
        answer: type[A],
        body: BaseModel | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        may_repeat: bool = False,
    ) -> A:
        """Send a body, of which only what was set, and return the answer."""
        json = None if body is None else body.model_dump(mode="json", exclude_unset=True)
        response = await self.ask("POST", path, json=json, headers=headers, may_repeat=may_repeat)
        return understood(response.content, answer)

    async def patch(self, path: str, answer: type[A], body: BaseModel) -> A:
        """Send a change, of which only what was set, and return the answer. To be changed twice does no harm."""
        json = body.model_dump(mode="json", exclude_unset=True)
        return understood((await self.ask("PATCH", path, json=json, may_repeat=True)).content, answer)

    async def delete(self, path: str, headers: Mapping[str, str] | None = None) -> None:
        """Delete what is at a path."""
        try:
            await self.ask("DELETE", path, headers=headers)
        except ServiceError as refusal:
            if not (refusal.after_break and refusal.status in GONE):  # else the try that broke off did it
                raise

    async def all(
        self,
        path: str,
        page: "type[Page[ItemT]]",  # in quotes, for pydantic cannot make a class of it
        first: Mapping[str, str | int] | None = None,
    ) -> list[ItemT]:
        """Return the items of every page of a list that goes on after an id."""
        found: list[ItemT] = []
        params: dict[str, str | int] = {"limit": PAGE_ITEMS, **(first or {})}
        while True:
            answer = await self.get(path, page, params)
            found += answer.items
            if not (answer.has_more and answer.items):
                return found
            params["after"] = answer.items[-1].id


def _may_be_done(fault: httpx.TransportError | ServiceError) -> bool:
    """Tell whether a request may have reached the service and been done.

    A 503 does not tell, even with Retry-After: the service answers so too if its database is lost at the last moment.
    """
    if isinstance(fault, Busy):
        return fault.status != TOO_MANY and fault.code not in DID_NOTHING
    return not isinstance(fault, NEVER_SENT)

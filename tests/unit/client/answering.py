"""Connections whose other end is a function of the test."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx

from adaptwin_core.client.connection import Connection
from adaptwin_core.client.waiting import Patience

URL = "http://service.test"
QUICK = Patience(num_tries=4, first_s=0.001, longest_s=0.002)


def connected(handle: Callable[[httpx.Request], Awaitable[httpx.Response]]) -> Connection:
    """Return a connection to what `handle` answers; an error that it raises is one of the network."""
    return Connection(httpx.AsyncClient(transport=httpx.MockTransport(handle), base_url=URL), QUICK)


class Script:
    """Gives one answer after the other, and keeps the requests."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self._answers = list(answers)
        self.requests: list[httpx.Request] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def connection(self) -> Connection:
        return connected(self)

    @property
    def asked(self) -> list[str]:
        return [f"{request.method} {request.url.path}" for request in self.requests]


def problem(status: int, code: str, detail: str = "do this", **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = {"type": "urn", "title": "No", "status": status, "code": code, "detail": detail}
    return httpx.Response(status, json=body, headers={"Content-Type": "application/problem+json", **named})


def found(body: Mapping[str, Any]) -> httpx.Response:
    return httpx.Response(200, json=body)

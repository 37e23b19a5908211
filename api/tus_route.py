"""Routes that speak tus 1.0, and the middleware that lets POST stand for other methods."""

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

from fastapi import Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from adaptwin_core.domain.errors import InvalidInput
from api import problems
from api.deps import TenantRoute
from api.tus import VERSION


class TusRoute(TenantRoute):
    """A route that speaks tus. It requires the version, gives it in every answer, and does not cap the body."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def spoken(request: Request) -> Response:
            try:
                response = await handle(request)
            except Exception as error:  # noqa: BLE001  # as the app's own handlers do, to add the header
                response = problems.from_error(error)
            response.headers["Tus-Resumable"] = VERSION
            if response.status_code == HTTPStatus.PRECONDITION_FAILED:
                response.headers["Tus-Version"] = VERSION
            return response

        return spoken

    def limit(self, request: Request) -> Request:
        if request.method != "OPTIONS" and request.headers.get("tus-resumable") != VERSION:
            raise InvalidInput(f"send 'Tus-Resumable: {VERSION}'", code="unsupported_tus_version")
        return request


class MethodOverride:
    """Takes a POST with X-HTTP-Method-Override as PATCH or DELETE, for clients that cannot send these."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"].startswith("/v1/uploads/"):
            wanted = dict(scope["headers"]).get(b"x-http-method-override", b"").decode("latin-1").upper()
            if wanted in {"PATCH", "DELETE"}:
                scope = {**scope, "method": wanted}
        await self._app(scope, receive, send)

"""Errors in the form of OpenAI's API, by which its package raises the right class. What they say is as elsewhere."""

import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from starlette.responses import JSONResponse

from adaptwin_core.rest.problem import Problem
from adaptwin_core.rest.transcriptions import RequestError, RequestFault
from api import problems
from api.deps import TenantRoute
from api.error_status import title_of

_TYPES = {401: "authentication_error", 429: "rate_limit_error"}
_ASK_FOR_PATIENCE = {429, 503}
_AS_STATUS = {422: 400}  # what OpenAI answers to a field that it cannot use


class RequestErrorRoute(TenantRoute):
    """A route whose errors have OpenAI's form."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                return await handle(request)
            except Exception as error:  # noqa: BLE001  # as the app's own handlers do, in another form
                return _from_problem(problems.from_error(error))

        return answered


def documented(*statuses: int) -> problems.Responses:
    """Return the OpenAPI entries of errors in this form."""
    return {status: {"model": RequestError, "description": title_of(status)} for status in statuses}


def _from_problem(response: JSONResponse) -> JSONResponse:
    problem = Problem.model_validate(json.loads(bytes(response.body)))
    status = _AS_STATUS.get(problem.status, problem.status)
    param = problem.errors[0].location.removeprefix("body").removeprefix(".") if problem.errors else None
    kind = _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
    fault = RequestFault(message=problem.detail, type=kind, param=param or None, code=problem.code)
    headers = {name: response.headers[name] for name in ("www-authenticate", "retry-after") if name in response.headers}
    if status in _ASK_FOR_PATIENCE:
        headers.setdefault("retry-after", str(problems.RETRY_AFTER_S))
    return JSONResponse(RequestError(error=fault).model_dump(mode="json"), status_code=status, headers=headers)

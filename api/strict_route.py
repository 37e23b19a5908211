"""Routes that refuse a query parameter that would be ignored: one that is unknown, or that is given twice."""

from collections.abc import Callable, Collection, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from adaptwin_core.domain.refusals import UNKNOWN, unknown_name


class StrictRoute(APIRoute):
    """Answers 422 to a query parameter that is unknown, with the nearest known name, or that is given twice."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        known = _query_names(self.dependant)

        async def strict(request: Request) -> Response:
            refused = [_refusal(request, name, known) for name in request.query_params]
            if any(refused):
                raise RequestValidationError([refusal for refusal in refused if refusal is not None])
            return await handle(request)

        return strict


def _refusal(request: Request, name: str, known: Collection[str]) -> dict[str, Any] | None:
    given = request.query_params.getlist(name)
    if name not in known:
        return {
            "type": UNKNOWN,
            "loc": ("query", name),
            "msg": unknown_name("parameter", name, known),
            "input": given[0],
        }
    if len(given) > 1:
        return {"type": "given_twice", "loc": ("query", name), "msg": "is given more than once", "input": given}
    return None


def _query_names(dependant: Dependant) -> list[str]:
    own = [parameter.alias for parameter in dependant.query_params]
    return own + [name for other in dependant.dependencies for name in _query_names(other)]

"""Routes that refuse query parameters they do not know: a misspelt one would silently go unused."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from adaptwin_core.domain.refusals import UNKNOWN, unknown_name


class StrictRoute(APIRoute):
    """Answers 422 to an unknown query parameter, with the nearest known name."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        known = _query_names(self.dependant)

        async def strict(request: Request) -> Response:
            unknown = [name for name in request.query_params if name not in known]
            if unknown:
                raise RequestValidationError(
                    [
                        {
                            "type": UNKNOWN,
                            "loc": ("query", name),
                            "msg": unknown_name("parameter", name, known),
                            "input": request.query_params[name],
                        }
                        for name in unknown
                    ]
                )
            return await handle(request)

        return strict


def _query_names(dependant: Dependant) -> list[str]:
    own = [parameter.alias for parameter in dependant.query_params]
    return own + [name for other in dependant.dependencies for name in _query_names(other)]

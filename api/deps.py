"""What most handlers need: the service, who is asking, a transaction, a page of rows."""

import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Annotated, Any, Concatenate, ParamSpec, TypeVar

from fastapi import Depends, Query, Request, Response, Security
from fastapi.security import HTTPBearer
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.service import outbox
from adaptwin_core.service.auth import key_id_of
from adaptwin_core.service.bootstrap import Service
from api.limits import JSON_BODY_BYTES, limited
from api.strict_route import StrictRoute

log = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")

_bearer = HTTPBearer(auto_error=False, scheme_name="API key", description="`Authorization: Bearer adtw_…`")


def service_of(request: Request) -> Service:
    """Return the service that this application serves."""
    service: Service = request.app.state.service
    return service


class TenantRoute(StrictRoute):
    """A route for holders of a key. The key is checked before any byte of the body is read."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            request.state.scope = await run_in_threadpool(self.caller, request)
            return await handle(self.limit(request))

        return guarded

    def caller(self, request: Request) -> TenantScope:
        """Return who is asking. Raises Unauthorized."""
        return _authenticate(service_of(request), _token(request))

    def limit(self, request: Request) -> Request:
        """Return the request with its body capped."""
        return limited(request, JSON_BODY_BYTES)


def _token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _authenticate(service: Service, token: str) -> TenantScope:
    with service.database.transaction() as session:
        return service.keys.authenticate(session, token)


def _scope(request: Request, _: Annotated[object, Security(_bearer)]) -> TenantScope:
    scope: TenantScope = request.state.scope  # absent, and so an error, on a route that is no TenantRoute
    return scope


def _key_id(request: Request, _: Annotated[TenantScope, Depends(_scope)]) -> str:
    return key_id_of(_token(request))


Scope = Annotated[TenantScope, Depends(_scope)]
KeyId = Annotated[str, Depends(_key_id)]
Running = Annotated[Service, Depends(service_of)]
After = Annotated[
    str | None, Query(description="Id of the last item of the page before.", max_length=200, pattern=r"^[\x21-\x7e]+$")
]
Limit = Annotated[int, Query(ge=1, le=200, description="Most items to return.")]


async def in_transaction(
    service: Service, work: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """Run `work(session, …)` in a thread, in a transaction of its own."""

    def run() -> T:
        with service.database.transaction() as session:
            return work(session, *args, **kwargs)

    return await run_in_threadpool(run)


def announce(service: Service) -> None:
    """Send what this request wrote to the outbox. Should that fail, the relay sends it later."""
    try:
        outbox.flush(service.database, service.broker)
    except Exception:
        log.exception("messages wait in the outbox")


def erase_now(service: Service) -> None:
    """Remove the bytes of what was just deleted. Should that fail, the sweeper does it later."""
    try:
        service.eraser.erase(service.database)
    except Exception:
        log.exception("bytes wait to be erased")


def page_of(rows: Sequence[T], limit: int) -> tuple[Sequence[T], bool]:
    """Split `limit + 1` rows asked for into the page and whether more follow."""
    return rows[:limit], len(rows) > limit

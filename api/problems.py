"""Errors as RFC 9457 problem documents, and the handlers that answer with them."""

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic_core import ErrorDetails
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adaptwin_core.domain import errors
from adaptwin_core.domain.refusals import sentence
from adaptwin_core.rest.problem import InvalidField, Problem
from api.error_status import CODE_OF_STATUS, DETAIL_OF_STATUS, status_of, title_of

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5
Responses = dict[int | str, dict[str, Any]]  # of OpenAPI, by status
MAX_FIELDS_SHOWN = 20


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    invalid: list[InvalidField] | None = None,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """Return the response for one problem."""
    document = Problem(
        type=f"urn:adaptwin:problem:{code}",
        title=title_of(status),
        status=status,
        detail=detail,
        code=code,
        errors=invalid,
    )
    content = document.model_dump(mode="json", exclude_none=True)
    return JSONResponse(content, status_code=status, headers=headers, media_type=MEDIA_TYPE)


def from_error(error: Exception) -> JSONResponse:
    """Return the response for an error of the domain, the framework or the database."""
    match error:
        case errors.AdaptwinError():
            return _from_domain(error)
        case RequestValidationError():
            return _from_validation(error)
        case HTTPException():
            code = CODE_OF_STATUS.get(error.status_code, "http_error")
            detail = DETAIL_OF_STATUS.get(error.status_code, str(error.detail))
            return problem(error.status_code, code, detail, headers=dict(error.headers or {}))
        case OperationalError() | InterfaceError() | PoolTimeout():
            log.warning("the database did not answer: %s", error)
            return problem(
                503,
                "unavailable",
                "the database does not answer: try again in a moment",
                headers={"Retry-After": str(RETRY_AFTER_S)},
            )
    log.error("unhandled error", exc_info=error)
    return problem(500, "internal", "something went wrong in the service: its log says what")


def install(app: FastAPI) -> None:
    """Answer the errors of `app` with problem documents."""

    async def handle(_: Request, error: Exception) -> JSONResponse:
        return from_error(error)

    for kind in (
        errors.AdaptwinError,
        RequestValidationError,
        HTTPException,
        OperationalError,
        InterfaceError,
        PoolTimeout,
    ):
        app.add_exception_handler(kind, handle)


class LastResort:
    """Answers errors that nobody expected, without their details. It runs inside the middleware that adds headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def send_noting(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        except Exception as error:
            if has_begun:
                raise
            await from_error(error)(scope, receive, send)


def documented(*statuses: int) -> Responses:
    """Return the OpenAPI entries of problem responses."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"description": title_of(status), "content": {MEDIA_TYPE: {"schema": schema}}} for status in statuses
    }


def _from_domain(error: errors.AdaptwinError) -> JSONResponse:
    status = status_of(error)
    headers = {"WWW-Authenticate": 'Bearer realm="adaptwin"'} if status == 401 else {}
    if error.retryable:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    if status == 500:
        log.error("failed: %s", error.code, exc_info=error)
    return problem(status, error.code, error.message, headers=headers)


def _from_validation(error: RequestValidationError) -> JSONResponse:
    found = error.errors()
    if any(item["loc"][0] == "path" for item in found):  # an id of a wrong form cannot exist
        return problem(404, "not_found", "there is nothing here: check the id")
    invalid = [_invalid_field(item) for item in found[:MAX_FIELDS_SHOWN]]
    detail = "; ".join(f"{field.location}: {field.message}" for field in invalid[:3])
    return problem(422, "validation_failed", detail, invalid=invalid)


def _invalid_field(error: ErrorDetails) -> InvalidField:
    if error["type"] == "json_invalid":
        message = f"is not JSON: {error['ctx']['error']} at character {error['loc'][-1]}"
        return InvalidField(location="body", code=error["type"], message=message)
    message = sentence(error)
    if error["loc"] == ("body",) and isinstance(
        error["input"], bytes
    ):  # a body is read as JSON only where its header says so
        message += ", sent with the header Content-Type: application/json"
    where = ".".join(map(str, error["loc"]))
    return InvalidField(location=_clean(where), code=error["type"], message=_clean(message))


def _clean(text: str) -> str:
    """Replace lone surrogates, which JSON can carry in and UTF-8 cannot carry out."""
    return text.encode("utf-8", "replace").decode()

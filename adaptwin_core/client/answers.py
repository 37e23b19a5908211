"""Answers of the service, read: bodies as the classes of `rest`, and refusals as errors."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from adaptwin_core.client.errors import Busy, NotUnderstood, ServiceError
from adaptwin_core.rest.problem import Problem
from adaptwin_core.rest.transcriptions import RequestError

A = TypeVar("A", bound=BaseModel)

TOO_MANY, UNAVAILABLE = 429, 503
OF_PROXIES = {502, 504}
MAX_SHOWN_CHARS = 200


def understood(content: str | bytes, answer: type[A]) -> A:
    """Read JSON as a class of answers. Fields that are not known are ignored: a newer service may have more.

    Raises:
        NotUnderstood: it is something else.
    """
    try:
        return answer.model_validate_json(content, extra="ignore")
    except ValidationError as fault:
        first = fault.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise NotUnderstood(
            f"the answer is not the {answer.__name__} that this client knows ({where} {first['msg']}): check that the "
            "address is that of AdaPTwin, and that client and service have the same version"
        ) from fault


def refusal_of(response: httpx.Response) -> ServiceError:
    """Return the error for an answer that is no success, and that was read."""
    kind = Busy if _asks_for_patience(response) else ServiceError
    error = _told(response, kind)
    if isinstance(error, Busy):
        error.retry_after_s = retry_after_s(response)
    return error


def _told(response: httpx.Response, kind: type[ServiceError]) -> ServiceError:
    """Return the error that a body tells of: as a problem, in OpenAI's form, or in any other."""
    status = response.status_code
    try:
        problem = Problem.model_validate_json(response.content, extra="ignore")
        return kind(status, problem.code, problem.detail, problem.errors or ())
    except ValidationError:
        pass
    try:
        fault = RequestError.model_validate_json(response.content, extra="ignore").error
        return kind(status, fault.code, f"{fault.param}: {fault.message}" if fault.param else fault.message)
    except ValidationError:
        text = " ".join(response.text.split())[:MAX_SHOWN_CHARS]
        detail = f"the answer is {status} {response.reason_phrase}" + (f": {text}" if text else "")
        return kind(status, f"http_{status}", detail)


def _asks_for_patience(response: httpx.Response) -> bool:
    """Tell whether to try again later. A quota that is used up is also 429, but names no time."""
    status = response.status_code
    return status in OF_PROXIES | {UNAVAILABLE} or (status == TOO_MANY and retry_after_s(response) is not None)


def retry_after_s(response: httpx.Response) -> float | None:
    """Return the seconds of Retry-After, which may also be a date, or None."""
    text = response.headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        then = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (then.astimezone(UTC) - datetime.now(UTC)).total_seconds())

"""What a failure of a task is called, and whether another attempt may help."""

import errno
import logging
from dataclasses import dataclass
from typing import Final

from adaptwin_core.domain.errors import AdaptwinError, ResourceExhausted
from adaptwin_core.service.task_owner import Claim, ErrorDict

log = logging.getLogger(__name__)

OUT_OF_MEMORY: Final = frozenset({"MemoryError", "OutOfMemoryError"})  # torch's by name: it is not imported here


@dataclass(frozen=True)
class Failure:
    """`error` is what the owner of the task is told. It never repeats the message of an unforeseen error."""

    error: ErrorDict
    retryable: bool


def failure_of(claim: Claim, error: Exception) -> Failure:
    """Return what to tell of an error that ended a task, and log it."""
    expected = _as_expected(error)
    if expected is None:
        log.exception("%s %s failed", claim.stage, claim.key, exc_info=error)
        told = f"an unforeseen {type(error).__name__}; the worker's log has its trace"
        return Failure({"code": "internal", "message": told}, retryable=False)
    log.warning("%s %s failed: %s", claim.stage, claim.key, error)
    return Failure({"code": expected.code, "message": expected.message}, expected.retryable)


def _as_expected(error: Exception) -> AdaptwinError | None:
    if isinstance(error, AdaptwinError):
        return error
    is_memory = type(error).__name__ in OUT_OF_MEMORY or "can't allocate memory" in str(error)
    if is_memory or (isinstance(error, OSError) and error.errno == errno.ENOSPC):
        return ResourceExhausted(f"the worker ran out of memory or disk ({type(error).__name__})")
    return None

"""What a failure of a task is called, what to do about it, and whether another attempt may help."""

import errno
import logging
from dataclasses import dataclass
from typing import Final

from adaptwin_core.domain.errors import AdaptwinError, ResourceExhausted, Unavailable, WrongSetup
from adaptwin_core.service.task_owner import Claim, ErrorDict

log = logging.getLogger(__name__)

# Errors of libraries are known by name, and by words that their messages have: no library is imported here for them.
OUT_OF_MEMORY: Final = frozenset({"MemoryError", "OutOfMemoryError"})
NO_MEMORY_WORDS: Final = ("can't allocate memory", "not enough memory", "out of memory")
GPU_WORDS: Final = ("CUDA", "CUBLAS", "cuDNN", "NVRTC", "NCCL")
DISK_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
READ_ONLY: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
UNREACHABLE: Final = frozenset(
    {
        *("ConnectError", "ConnectTimeout", "ReadError", "ReadTimeout", "RemoteProtocolError"),  # httpx
        *("EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "ConnectionClosedError"),  # botocore
        *("LocalEntryNotFoundError", "OfflineModeIsEnabled", "MaxRetryError"),  # huggingface_hub, urllib3
    }
)


@dataclass(frozen=True)
class Failure:
    """`error` is what the owner of the task is told. It never repeats the message of an unforeseen error."""

    error: ErrorDict
    retryable: bool


def failure_of(claim: Claim, error: Exception) -> Failure:
    """Return what to tell of an error that ended a task, and log it."""
    expected = error if isinstance(error, AdaptwinError) else _as_expected(error)
    if expected is None:
        log.exception("%s %s failed", claim.stage, claim.key, exc_info=error)
        told = (
            f"an unforeseen {type(error).__name__}, which is a fault of the service; the worker's log has its trace. "
            "Report it to whoever runs the service"
        )
        return Failure({"code": "internal", "message": told}, retryable=False)
    log.warning("%s %s failed: %s", claim.stage, claim.key, error)
    return Failure({"code": expected.code, "message": expected.message}, expected.retryable)


def _as_expected(error: Exception) -> AdaptwinError | None:
    name, words = type(error).__name__, str(error)
    is_gpu = any(word in words for word in GPU_WORDS)
    if name in OUT_OF_MEMORY or any(part in words for part in NO_MEMORY_WORDS):
        where, share = ("GPU", "one worker for each GPU") if is_gpu else ("worker", "fewer workers on one machine")
        return ResourceExhausted(
            f"the {where} ran out of memory ({name}): take a smaller base model, lower tune_batch, or run {share}"
        )
    if is_gpu:
        return Unavailable(
            f"the GPU failed ({name}): restart its worker. If that does not help, run nvidia-smi there, and see the "
            "worker's log",
            code="gpu_failed",
        )
    if isinstance(error, ConnectionError | TimeoutError) or name in UNREACHABLE:
        return Unavailable(
            f"the worker could not reach another machine ({name}): check its network, its bucket and its proxy",
            code="unreachable",
        )
    if isinstance(error, ImportError):
        return WrongSetup(
            f"the worker lacks the package {error.name or 'that this task needs'}: install AdaPTwin there with what "
            "its documentation names for this task"
        )
    return _of_disk(error) if isinstance(error, OSError) else None


def _of_disk(error: OSError) -> AdaptwinError | None:
    if error.errno == errno.ENOMEM:
        return ResourceExhausted("the worker ran out of memory: run fewer workers on one machine")
    if error.errno in DISK_FULL:
        return ResourceExhausted(
            "the worker's disk is full: free space where ADAPTWIN_DATA_DIR is, or delete models and datasets"
        )
    if error.errno in READ_ONLY:
        return WrongSetup("the worker may not write to its data folder: see who owns what ADAPTWIN_DATA_DIR names")
    return None

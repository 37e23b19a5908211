"""What a worker says of an error: what to do, and never words that may hold a person's."""

import errno

import pytest

from adaptwin_core.domain.errors import CorruptBlob, InvalidInput
from adaptwin_core.domain.stages import Stage
from adaptwin_core.service.task_owner import Claim
from worker.failure import failure_of

CLAIM = Claim("task_1", 1, Stage.TUNE, "model", "job_1", None, None, "ten_1")


class OutOfMemoryError(RuntimeError):
    """Named as torch's is."""


class AcceleratorError(RuntimeError):
    """Named as torch's is."""


class ConnectError(Exception):
    """Named as httpx's is."""


MET = [
    (MemoryError(), "resource_exhausted", True, "fewer workers on one machine"),
    (RuntimeError("DefaultCPUAllocator: can't allocate memory: secret"), "resource_exhausted", True, "smaller base"),
    (OSError(errno.ENOMEM, "secret"), "resource_exhausted", True, "fewer workers"),
    (OutOfMemoryError("CUDA out of memory. secret"), "resource_exhausted", True, "one worker for each GPU"),
    (AcceleratorError("CUDA error: device-side assert triggered secret"), "gpu_failed", True, "restart its worker"),
    (RuntimeError("cuDNN error: secret"), "gpu_failed", True, "nvidia-smi"),
    (OSError(errno.ENOSPC, "secret"), "resource_exhausted", True, "disk is full"),
    (OSError(errno.EDQUOT, "secret"), "resource_exhausted", True, "disk is full"),
    (PermissionError(errno.EACCES, "secret"), "wrong_setup", False, "ADAPTWIN_DATA_DIR"),
    (OSError(errno.EROFS, "secret"), "wrong_setup", False, "ADAPTWIN_DATA_DIR"),
    (ConnectionResetError("secret"), "unreachable", True, "check its network"),
    (TimeoutError("secret"), "unreachable", True, "check its network"),
    (ConnectError("secret"), "unreachable", True, "check its network"),
    (ModuleNotFoundError("secret", name="ctranslate2"), "wrong_setup", False, "package ctranslate2"),
    (KeyError("secret"), "internal", False, "unforeseen KeyError"),
    (OSError(errno.EIO, "secret"), "internal", False, "worker's log"),
]


@pytest.mark.parametrize(("error", "code", "retryable", "told"), MET, ids=lambda value: str(value)[:40])
def test_what_a_worker_meets_says_what_to_do(error: Exception, code: str, retryable: bool, told: str) -> None:
    failure = failure_of(CLAIM, error)
    assert (failure.error["code"], failure.retryable) == (code, retryable)
    assert told in failure.error["message"]
    assert "secret" not in failure.error["message"]


def test_an_expected_error_is_told_as_it_is() -> None:
    assert failure_of(CLAIM, InvalidInput("send more")).error == {"code": "invalid_input", "message": "send more"}
    assert failure_of(CLAIM, CorruptBlob("damaged")).retryable

"""Every error of the client.

ClientError
├── NoAddress          the address or the key of the service is not known
├── Unreachable        no answer came, though the request was tried again where that is safe
├── NotUnderstood      an answer came that this client cannot read
├── ServiceError       the service refused the request
│   └── Busy           it, or a proxy before it, asks for patience
├── Failed             what the service was to make failed
├── NothingToSend      a folder without a file that can be sent
├── DifferentFile      the dataset has other bytes under the name of a file
└── DamagedDownload    bytes came that are not those of the file
"""

from collections.abc import Sequence

from adaptwin_core.rest.problem import InvalidField


class ClientError(Exception):
    """Base of all. The text says what is wrong and what to do."""


class NoAddress(ClientError):
    pass


class Unreachable(ClientError):
    pass


class NotUnderstood(ClientError):
    pass


class ServiceError(ClientError):
    """A refusal.

    Args:
        code: the stable name of the error; `http_502` and the like if the answer was no problem document.
        detail: what is wrong and what to do.
        errors: each value that was refused.
    """

    def __init__(self, status: int, code: str, detail: str, errors: Sequence[InvalidField] = ()) -> None:
        super().__init__(f"{code}: {detail}")
        self.status, self.code, self.detail, self.errors = status, code, detail, tuple(errors)
        self.after_break = False  # whether the answer to an earlier try was lost, so that this may be about its effect


class Busy(ServiceError):
    """A refusal for now. `retry_after_s` is the time that the service asks for, if it names one."""

    retry_after_s: float | None = None


class Failed(ClientError):
    """A dataset, job or export that did not succeed, with the code and the sentence of the service."""

    def __init__(self, what: str, code: str, message: str) -> None:
        super().__init__(f"{what}: {code}: {message}")
        self.code, self.message = code, message


class NothingToSend(ClientError):
    pass


class DifferentFile(ClientError):
    pass


class DamagedDownload(ClientError):
    pass

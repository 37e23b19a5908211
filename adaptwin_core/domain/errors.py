"""Every error the product raises on purpose.

AdaptwinError                     stable `code`, a sentence for the person, whether a retry can help
├── InvalidInput                  the caller sent something we cannot use
│   ├── InvalidAudio
│   └── InvalidSpec
├── NotFound                      no such thing, or not yours: the two are never told apart
├── Conflict                      the thing is in a state that forbids this
├── Unauthorized
├── LimitExceeded                 a cap on size, count or quota
├── ResourceExhausted             memory or disk ran out; a retry may succeed
├── LeaseLost                     another worker owns this task now
├── Cancelled                     the job was cancelled while a task ran
└── CorruptBlob                   stored bytes do not match their SHA-256

HTTP status codes are mapped at the edge (api/error_status.py) and nowhere else.
"""


class AdaptwinError(Exception):
    """Base of all expected failures.

    Args:
        message: a sentence that says what is wrong and what to do.
        code: overrides the class's stable code where one class covers several causes.
    """

    code = "internal"
    retryable = False

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code


class InvalidInput(AdaptwinError):
    code = "invalid_input"


class InvalidAudio(InvalidInput):
    code = "invalid_audio"


class InvalidSpec(InvalidInput):
    code = "invalid_spec"


class NotFound(AdaptwinError):
    code = "not_found"


class Conflict(AdaptwinError):
    code = "conflict"


class Unauthorized(AdaptwinError):
    code = "unauthorized"


class LimitExceeded(AdaptwinError):
    code = "limit_exceeded"


class ResourceExhausted(AdaptwinError):
    code = "resource_exhausted"
    retryable = True


class LeaseLost(AdaptwinError):
    code = "lease_lost"


class Cancelled(AdaptwinError):
    code = "cancelled"


class CorruptBlob(AdaptwinError):
    code = "corrupt_blob"
    retryable = True

"""Every error that is raised on purpose.

AdaptwinError                     stable `code`, a sentence for the person, whether a retry can help
├── InvalidInput                  the caller sent something we cannot use
│   ├── InvalidAudio
│   └── InvalidSpec
├── NotFound                      no such thing, or another owner's: the answer is the same
├── Conflict                      the thing is in a state that forbids this
│   └── NotYet                    it leaves that state soon by itself
├── Unauthorized
├── LimitExceeded                 a cap on size, count or quota
├── ResourceExhausted             memory or disk ran out; a retry may succeed
├── Unavailable                   what the work needs fails or cannot be reached now; a retry may succeed
├── WrongSetup                    whoever runs the service must change something first
├── LeaseLost                     another worker owns this task now
├── Cancelled                     the job was cancelled or paused while a task ran
└── CorruptBlob                   stored bytes do not match their SHA-256

HTTP status codes are mapped at the edge (api/error_status.py) and nowhere else.
"""

from typing import Literal


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


# These say why a file or a whole set is not used, or why a job cannot begin with its speech.
AudioCode = Literal[
    "archive_damaged",
    "archive_form",
    "bomb",
    "decode_failed",
    "duplicate",
    "duplicate_name",
    "empty_file",
    "encrypted",
    "file_too_large",
    "nested_archive",
    "not_a_file",
    "not_audio",
    "not_finite",
    "silent",
    "timed_text",
    "too_short",
    "transcript_encoding",
    "transcript_form",
    "unreadable_file",
    "no_audio",
    "too_large",
    "too_long",
    "too_many_files",
    "too_slow",
    "invalid_audio",
    "no_training_speech",
    "too_little_speech",
]


class InvalidAudio(InvalidInput):
    code: AudioCode = "invalid_audio"

    def __init__(self, message: str, *, code: AudioCode = "invalid_audio") -> None:
        super().__init__(message, code=code)


class InvalidSpec(InvalidInput):
    code = "invalid_spec"


class NotFound(AdaptwinError):
    code = "not_found"


class Conflict(AdaptwinError):
    code = "conflict"


class NotYet(Conflict):
    retryable = True


class Unauthorized(AdaptwinError):
    code = "unauthorized"


class LimitExceeded(AdaptwinError):
    code = "limit_exceeded"


class ResourceExhausted(AdaptwinError):
    code = "resource_exhausted"
    retryable = True


class Unavailable(AdaptwinError):
    code = "unavailable"
    retryable = True


class WrongSetup(AdaptwinError):
    code = "wrong_setup"


class LeaseLost(AdaptwinError):
    code = "lease_lost"


class Cancelled(AdaptwinError):
    code = "cancelled"


class CorruptBlob(AdaptwinError):
    code = "corrupt_blob"
    retryable = True

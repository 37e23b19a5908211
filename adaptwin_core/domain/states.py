"""The one table of legal state changes. Anything not in it is refused."""

from enum import StrEnum
from typing import TypeVar

from adaptwin_core.domain.errors import Conflict


class UploadState(StrEnum):
    OPEN = "open"  # accepts bytes
    COMPLETE = "complete"  # every declared byte is on disk
    ABORTED = "aborted"  # terminated by its owner or expired


class DatasetState(StrEnum):
    OPEN = "open"  # uploads may be added
    PROBING = "probing"  # sealed; a worker reads and checks the audio
    READY = "ready"
    FAILED = "failed"
    DELETED = "deleted"


class JobState(StrEnum):
    """Named as in OpenAI's fine-tuning API, but for its `validating_files`: files are checked with their dataset."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"  # none of its tasks is given out until it is resumed
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class TaskState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ExportState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    READY = "ready"
    REFUSED = "refused"  # made, but it transcribes worse than the model: not handed out
    FAILED = "failed"  # may be asked for again


class DeliveryState(StrEnum):
    PENDING = "pending"  # waits for its first try or another, or is being sent
    DELIVERED = "delivered"  # the receiver accepted it
    FAILED = "failed"  # after the last try, or because the receiver wants no more


TERMINAL_JOB_STATES = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED})

# kind of thing -> state -> {event: next state}. By kind first: as strings, the states of two kinds may be equal.
TRANSITIONS: dict[type[StrEnum], dict[StrEnum, dict[str, StrEnum]]] = {
    UploadState: {
        UploadState.OPEN: {"complete": UploadState.COMPLETE, "abort": UploadState.ABORTED},
        UploadState.COMPLETE: {"abort": UploadState.ABORTED},
    },
    DatasetState: {
        DatasetState.OPEN: {"seal": DatasetState.PROBING, "delete": DatasetState.DELETED},
        DatasetState.PROBING: {
            "ready": DatasetState.READY,
            "fail": DatasetState.FAILED,
            "delete": DatasetState.DELETED,
        },
        DatasetState.READY: {"delete": DatasetState.DELETED},
        DatasetState.FAILED: {"delete": DatasetState.DELETED},
    },
    JobState: {
        JobState.QUEUED: {
            "start": JobState.RUNNING,
            "pause": JobState.PAUSED,
            "cancel": JobState.CANCELLED,
            "fail": JobState.FAILED,
        },
        JobState.RUNNING: {
            "start": JobState.RUNNING,
            "pause": JobState.PAUSED,
            "succeed": JobState.SUCCEEDED,
            "fail": JobState.FAILED,
            "cancel": JobState.CANCELLED,
        },
        JobState.PAUSED: {"resume": JobState.QUEUED, "cancel": JobState.CANCELLED},
        JobState.FAILED: {"retry": JobState.QUEUED},
        JobState.CANCELLED: {"retry": JobState.QUEUED},
    },
    TaskState: {
        TaskState.QUEUED: {
            "claim": TaskState.RUNNING,
            "pause": TaskState.PAUSED,
            "cancel": TaskState.CANCELLED,
            "fail": TaskState.FAILED,
        },
        TaskState.RUNNING: {
            "claim": TaskState.RUNNING,  # a lease ran out and another worker took over
            "release": TaskState.QUEUED,  # a retryable failure
            "pause": TaskState.PAUSED,
            "complete": TaskState.DONE,
            "fail": TaskState.FAILED,
            "cancel": TaskState.CANCELLED,
        },
        TaskState.PAUSED: {"resume": TaskState.QUEUED, "cancel": TaskState.CANCELLED},
        TaskState.FAILED: {"retry": TaskState.QUEUED},
        TaskState.CANCELLED: {"retry": TaskState.QUEUED},
    },
    DeliveryState: {
        DeliveryState.PENDING: {"deliver": DeliveryState.DELIVERED, "fail": DeliveryState.FAILED},
    },
}

S = TypeVar("S", bound=StrEnum)


def next_state(state: S, event: str) -> S:
    """Return the state that `event` leads to.

    Raises:
        Conflict: the table has no such change.
    """
    target = TRANSITIONS[type(state)].get(state, {}).get(event)
    if target is None:
        raise Conflict(f"cannot {event} while {state.value}", code="illegal_state")
    assert isinstance(target, type(state))
    return target

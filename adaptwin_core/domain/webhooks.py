"""What webhooks announce, and when an announcement that did not arrive is sent again."""

from enum import StrEnum
from typing import Final


class EventType(StrEnum):
    """What a webhook may ask for: the end of whatever takes long. Each is named by the thing and its new state."""

    DATASET_READY = "dataset.ready"
    DATASET_FAILED = "dataset.failed"
    JOB_SUCCEEDED = "job.succeeded"
    JOB_FAILED = "job.failed"
    JOB_CANCELLED = "job.cancelled"
    EXPORT_READY = "export.ready"
    EXPORT_REFUSED = "export.refused"
    EXPORT_FAILED = "export.failed"


TEST_EVENT: Final = "webhook.test"  # sent when somebody asks for it, to every webhook

# Pauses after the first try, the second, …: the schedule that the Standard Webhooks specification proposes
_MINUTE_S, _HOUR_S = 60, 3600
PAUSES_S: Final = (
    *(5, 5 * _MINUTE_S, 30 * _MINUTE_S),
    *(hours * _HOUR_S for hours in (2, 5, 10, 14, 20, 24)),
)


def pause_s(event_type: str, num_tries: int) -> int | None:
    """Return the pause after so many tries, or None after the last. A test is tried once: somebody waits for it."""
    if event_type == TEST_EVENT or num_tries > len(PAUSES_S):
        return None
    return PAUSES_S[num_tries - 1]

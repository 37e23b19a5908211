"""The one table of state changes."""

from enum import StrEnum

import pytest

from adaptwin_core.domain.errors import Conflict
from adaptwin_core.domain.states import TERMINAL_JOB_STATES, TRANSITIONS, DeliveryState, JobState, TaskState, next_state

# As in OpenAI's fine-tuning API, whose jobs can be `validating_files` too: here a dataset is checked before any job.
OPENAI = {"queued", "running", "paused", "succeeded", "failed", "cancelled"}


def test_jobs_have_the_states_of_openai() -> None:
    assert set(JobState) == OPENAI


@pytest.mark.parametrize(
    ("before", "event", "after"),
    [
        (JobState.QUEUED, "pause", JobState.PAUSED),
        (JobState.RUNNING, "pause", JobState.PAUSED),
        (JobState.PAUSED, "resume", JobState.QUEUED),
        (JobState.PAUSED, "cancel", JobState.CANCELLED),
        (JobState.FAILED, "retry", JobState.QUEUED),
        (JobState.CANCELLED, "retry", JobState.QUEUED),
        (TaskState.RUNNING, "pause", TaskState.PAUSED),
        (TaskState.PAUSED, "resume", TaskState.QUEUED),
        (DeliveryState.PENDING, "deliver", DeliveryState.DELIVERED),
        (DeliveryState.PENDING, "fail", DeliveryState.FAILED),
    ],
)
def test_what_may_happen(before: StrEnum, event: str, after: StrEnum) -> None:
    assert next_state(before, event) is after


@pytest.mark.parametrize(
    ("state", "event"),
    [
        (JobState.PAUSED, "pause"),
        (JobState.PAUSED, "start"),
        (JobState.PAUSED, "succeed"),
        (JobState.RUNNING, "resume"),
        (JobState.RUNNING, "retry"),
        (JobState.SUCCEEDED, "retry"),
        (JobState.SUCCEEDED, "pause"),
        (JobState.FAILED, "pause"),
        (JobState.CANCELLED, "resume"),
        (TaskState.DONE, "retry"),
        (TaskState.PAUSED, "claim"),
        (DeliveryState.DELIVERED, "fail"),
    ],
)
def test_what_may_not_happen(state: StrEnum, event: str) -> None:
    with pytest.raises(Conflict, match=f"cannot {event} while {state}"):
        next_state(state, event)


def test_only_a_retry_leads_out_of_an_end() -> None:
    out = {event for state in TERMINAL_JOB_STATES for event in TRANSITIONS[JobState].get(state, {})}
    assert out == {"retry"}
    assert JobState.PAUSED not in TERMINAL_JOB_STATES


def test_every_state_can_be_reached() -> None:
    for kind, changes in TRANSITIONS.items():
        reached = {after for events in changes.values() for after in events.values()}
        assert set(kind) - reached <= {next(iter(kind))}

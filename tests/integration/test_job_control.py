"""A job is paused, resumed and tried again: nothing finished is lost, and nobody who was stopped has a late word."""

from pathlib import Path

import pytest

from adaptwin_core.domain.errors import Conflict, InvalidInput, LeaseLost, LimitExceeded, NotFound
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.states import JobState, TaskState
from adaptwin_core.service import datasets, job_control, jobs, sweeper
from adaptwin_core.service.task_owner import Claim
from tests.integration import world
from tests.integration.leasing import claim, complete, fail
from tests.service_under_test import changed, flush, service, unit_of_work
from worker.context import StageContext
from worker.runner import run_task


@pytest.fixture
def job_id(scope: TenantScope, tmp_path: Path) -> str:
    return world.submit(scope, tmp_path, spec=world.STARTS_WIDE)


def pause(scope: TenantScope, job_id: str) -> None:
    with unit_of_work() as session:
        job_control.pause(session, scope, job_id)


def resume(scope: TenantScope, job_id: str) -> None:
    with unit_of_work() as session:
        job_control.resume(session, scope, job_id)


def retry(scope: TenantScope, job_id: str, *, max_unfinished: int = 8) -> None:
    with unit_of_work() as session:
        job_control.retry(session, scope, job_id, max_unfinished=max_unfinished)


def states(job_id: str) -> list[str]:
    return sorted(task.state for task in world.task_rows(job_id))


def heartbeat(held: Claim) -> TaskState:
    with unit_of_work() as session:
        return service().tasks.heartbeat(session, held, None)


def test_a_paused_job_gives_out_nothing_and_stops_what_runs(scope: TenantScope, job_id: str):
    first, second = world.queued_ids()
    held = claim(first)
    pause(scope, job_id)
    assert (world.job_row(job_id).state, states(job_id)) == (JobState.PAUSED, [TaskState.PAUSED] * 2)
    assert claim(second) is None
    assert heartbeat(held) is TaskState.PAUSED
    for late_word in (lambda: complete(held), lambda: fail(held, retryable=True), lambda: fail(held, retryable=False)):
        with pytest.raises(LeaseLost):
            late_word()
    assert world.job_row(job_id).state == JobState.PAUSED


def test_a_resumed_job_goes_on_from_its_last_finished_task(scope: TenantScope, job_id: str):
    first, second = world.queued_ids()
    complete(claim(first))
    held = claim(second)
    pause(scope, job_id)
    assert states(job_id) == [TaskState.DONE, TaskState.PAUSED]
    resume(scope, job_id)
    assert world.job_row(job_id).state == JobState.QUEUED
    assert heartbeat(held) is not TaskState.RUNNING
    with pytest.raises(LeaseLost):  # also now that the task is queued again
        complete(held)
    [again] = world.queued_ids()
    assert again != second
    assert claim(second) is None  # the message that was under way
    started = world.job_row(job_id).started_at
    world.run_all()
    job = world.job_row(job_id)
    assert (job.state, job.started_at) == (JobState.SUCCEEDED, started)
    assert "the job goes on" in told(scope, job_id)


def test_pausing_again_and_again_uses_up_no_attempts(scope: TenantScope, job_id: str):
    for _ in range(service().tasks.max_attempts + 1):
        assert claim(world.queued_ids()[0]) is not None
        pause(scope, job_id)
        resume(scope, job_id)
    world.run_all()
    assert world.job_row(job_id).state == JobState.SUCCEEDED


def test_a_paused_job_is_left_alone_by_the_sweeper(scope: TenantScope, job_id: str):
    claim(world.queued_ids()[0])
    pause(scope, job_id)
    flush()
    with changed(resend_after_s=0.0) as quick:
        swept = sweeper.sweep(quick)
    assert swept is not None
    assert (swept.num_announced, swept.num_advanced, swept.num_expired) == (0, 0, 0)
    assert (world.job_row(job_id).state, states(job_id)) == (JobState.PAUSED, [TaskState.PAUSED] * 2)


def test_a_paused_job_may_be_cancelled(scope: TenantScope, job_id: str):
    pause(scope, job_id)
    with unit_of_work() as session:
        jobs.cancel(session, scope, job_id)
    assert (world.job_row(job_id).state, states(job_id)) == (JobState.CANCELLED, [TaskState.CANCELLED] * 2)


def test_the_body_of_a_paused_task_stops_at_its_next_heartbeat(scope: TenantScope, job_id: str):
    stopped: list[str] = []

    def body(ctx: StageContext):
        pause(scope, job_id)
        try:
            for step in range(1_000_000):
                ctx.progress(step, 1_000_000)
        except Exception as stop:
            stopped.append(str(stop))
            raise
        raise AssertionError("it was not stopped")

    with changed(heartbeat_s=0.02) as quick:
        run_task(quick, world.queued_ids()[0], lambda: body)
    assert stopped == ["the job was paused"]
    assert states(job_id) == [TaskState.PAUSED] * 2


def test_a_failed_job_is_tried_again_from_its_last_finished_task(scope: TenantScope, job_id: str):
    calls: list[tuple[str, str]] = []

    def body(ctx: StageContext):
        calls.append((ctx.stage, str(ctx.key)))
        if ctx.stage is Stage.TUNE and calls.count((ctx.stage, str(ctx.key))) == 1:
            raise InvalidInput("it broke")
        return world.stub_stage(ctx)

    world.run_all(body)
    assert world.job_row(job_id).state == JobState.FAILED
    before = len(calls)
    retry(scope, job_id)
    job = world.job_row(job_id)
    assert (job.state, job.error, job.finished_at) == (JobState.QUEUED, None, None)
    world.run_all(body)
    assert world.job_row(job_id).state == JobState.SUCCEEDED
    assert calls[before] == (Stage.TUNE, "model")
    assert len(set(calls)) == len(calls) - 1  # tune alone was begun twice


def test_a_cancelled_job_is_tried_again(scope: TenantScope, job_id: str):
    held = claim(world.queued_ids()[0])
    with unit_of_work() as session:
        jobs.cancel(session, scope, job_id)
    retry(scope, job_id)
    with pytest.raises(LeaseLost):
        complete(held)
    assert states(job_id) == [TaskState.QUEUED] * 2
    world.run_all()
    assert world.job_row(job_id).state == JobState.SUCCEEDED


def test_a_retry_has_all_attempts(scope: TenantScope, job_id: str):
    for _ in range(2):
        task_id = world.queued_ids()[0]
        for _ in range(service().tasks.max_attempts):
            fail(claim(task_id), retryable=True)
        assert world.job_row(job_id).state == JobState.FAILED
        retry(scope, job_id)
    world.run_all()
    assert world.job_row(job_id).state == JobState.SUCCEEDED


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (resume, "the job is not paused: it is queued"),
        (retry, "only a job that failed or was cancelled is tried again: this one is queued"),
    ],
)
def test_what_a_queued_job_refuses(scope: TenantScope, job_id: str, change, why: str):
    with pytest.raises(Conflict, match=why) as refusal:
        change(scope, job_id)
    assert refusal.value.code == "illegal_state"


def test_what_a_paused_and_an_ended_job_refuse(scope: TenantScope, job_id: str):
    pause(scope, job_id)
    with pytest.raises(Conflict, match="is paused already"):
        pause(scope, job_id)
    resume(scope, job_id)
    world.run_all()
    for change, why in (
        (pause, "the job has succeeded: there is nothing left to pause"),
        (resume, "the job is not paused: it has succeeded"),
        (retry, "this one has succeeded"),
    ):
        with pytest.raises(Conflict, match=why):
            change(scope, job_id)


def test_a_retry_needs_room_and_speech(scope: TenantScope, job_id: str):
    with unit_of_work() as session:
        jobs.cancel(session, scope, job_id)
    with pytest.raises(LimitExceeded):
        retry(scope, job_id, max_unfinished=0)
    with unit_of_work() as session:
        datasets.delete(session, scope, world.job_row(job_id).dataset_id)
    with pytest.raises(NotFound, match="was deleted"):
        retry(scope, job_id)
    assert world.job_row(job_id).state == JobState.CANCELLED


def test_nobody_changes_the_jobs_of_others(other_scope: TenantScope, job_id: str):
    for change in (pause, resume, retry):
        with pytest.raises(NotFound):
            change(other_scope, job_id)


def told(scope: TenantScope, job_id: str) -> list[str]:
    with unit_of_work() as session:
        return [event.message for event in jobs.events(session, scope, job_id, after_id=0, limit=1000)]

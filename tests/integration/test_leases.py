"""A task has one owner at a time, and only the owner's word counts."""

from pathlib import Path

import pytest

from adaptwin_core.domain.errors import LeaseLost
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.states import JobState, TaskState
from adaptwin_core.store.tables import Task
from tests.integration import world
from tests.integration.leasing import claim, complete, fail
from tests.service_under_test import get_settings, service, unit_of_work


@pytest.fixture
def job_id(scope: TenantScope, tmp_path: Path) -> str:
    return world.submit(scope, tmp_path, spec=world.STARTS_WIDE)


def test_a_held_task_is_not_given_out_again(job_id: str):
    task_id = world.queued_ids()[0]
    assert claim(task_id) is not None
    assert claim(task_id, "b") is None


def test_the_first_claim_starts_the_job(job_id: str):
    assert world.job_row(job_id).state == JobState.QUEUED
    for task_id in world.queued_ids():
        claim(task_id)
    job = world.job_row(job_id)
    assert job.state == JobState.RUNNING
    assert job.started_at is not None
    assert world.num_events(job_id)["state", None, None] == 2  # queued, started: told once, not per task


def test_a_done_task_is_not_given_out_again(job_id: str):
    task_id = world.queued_ids()[0]
    complete(claim(task_id))
    assert claim(task_id) is None


def test_a_late_twin_writes_nothing(job_id: str):
    task_id = world.queued_ids()[0]
    first = claim(task_id, "first")
    world.let_leases_run_out()
    second = claim(task_id, "second")
    assert second.attempt == first.attempt + 1
    with unit_of_work() as session:
        assert service().tasks.heartbeat(session, first, None) is not TaskState.RUNNING
        assert service().tasks.heartbeat(session, second, {"step": 1}) is TaskState.RUNNING
    for late_word in (
        lambda: complete(first),
        lambda: fail(first, retryable=True),
        lambda: fail(first, retryable=False),
    ):
        with pytest.raises(LeaseLost):
            late_word()
    [row] = [task for task in world.task_rows(job_id) if task.id == task_id]
    assert (row.state, row.lease_owner, row.progress) == (TaskState.RUNNING, "second", {"step": 1})
    before = world.job_row(job_id).remaining
    complete(second)
    with pytest.raises(LeaseLost):
        complete(second)
    assert world.job_row(job_id).remaining == before - 1


def test_a_holder_whose_task_is_gone_has_lost_its_lease(job_id: str):
    task_id = world.queued_ids()[0]
    held = claim(task_id)
    with unit_of_work() as session:
        session.delete(session.get_one(Task, task_id))
    for late_word in (lambda: complete(held), lambda: fail(held, retryable=True)):
        with pytest.raises(LeaseLost):
            late_word()


def test_a_heartbeat_extends_the_lease(job_id: str):
    held = claim(world.queued_ids()[0])
    world.let_leases_run_out()
    with unit_of_work() as session:
        assert service().tasks.heartbeat(session, held, None) is TaskState.RUNNING
    assert claim(held.task_id, "b") is None


def test_a_retryable_failure_gives_the_task_back(job_id: str):
    held = claim(world.queued_ids()[0])
    fail(held, retryable=True)
    again = claim(held.task_id)
    assert again.attempt == 2
    complete(again)
    row = next(task for task in world.task_rows(job_id) if task.id == held.task_id)
    assert (row.state, row.error) == (TaskState.DONE, None)


def test_attempts_run_out(job_id: str):
    task_id = world.queued_ids()[0]
    for _ in range(get_settings().max_attempts):
        fail(claim(task_id), retryable=True)
    assert claim(task_id) is None
    job = world.job_row(job_id)
    assert (job.state, job.error["code"]) == (JobState.FAILED, "some_code")
    assert job.finished_at is not None


def test_a_final_failure_fails_the_job_and_stops_its_other_tasks(job_id: str):
    first, second = world.queued_ids()
    held, sibling = claim(first), claim(second)
    fail(held, retryable=False)
    assert world.job_row(job_id).state == JobState.FAILED
    assert {task.state for task in world.task_rows(job_id)} == {TaskState.FAILED, TaskState.CANCELLED}
    with unit_of_work() as session:
        assert service().tasks.heartbeat(session, sibling, None) is TaskState.CANCELLED
    with pytest.raises(LeaseLost):
        complete(sibling)
    assert world.job_row(job_id).state == JobState.FAILED

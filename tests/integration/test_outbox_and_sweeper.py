"""Messages are never lost, and what a crash left behind is put right."""

import os
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from sqlalchemy import func, select, update

from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.stages import Queue
from adaptwin_core.domain.states import DatasetState, JobState, TaskState
from adaptwin_core.service import broker, outbox, sweeper
from adaptwin_core.store.killpoints import EXIT_CODE
from adaptwin_core.store.tables import Dataset, Job, Outbox, Task
from tests.integration import world
from tests.service_under_test import changed, flush, get_settings, service, unit_of_work
from tests.waiting import wait_until
from worker.runner import run_task


def num_in_queue(redis_url: str, queue: str = Queue.MODEL) -> int:
    return redis.from_url(redis_url).llen(queue)


def test_a_message_goes_once_and_only_when_due(scope: TenantScope, redis_url: str):
    with unit_of_work() as session:
        outbox.enqueue(session, broker.TASK_RUN, Queue.MODEL, ["now"])
        outbox.enqueue(session, broker.TASK_RUN, Queue.MODEL, ["later"], delay_s=60)
    assert flush() == 1
    assert flush() == 0
    assert num_in_queue(redis_url) == service().broker.depth(Queue.MODEL) == 1
    with unit_of_work() as session:
        session.execute(update(Outbox).values(due_at=func.now()))
    assert flush() == 1


def test_what_is_not_committed_is_not_sent(scope: TenantScope, redis_url: str):
    with unit_of_work() as session:
        outbox.enqueue(session, broker.TASK_RUN, Queue.MODEL, ["never"])
        session.flush()
        assert flush() == 0
        session.rollback()
    assert flush() == 0
    assert num_in_queue(redis_url) == 0


def test_messages_wait_for_a_broker_that_is_away(scope: TenantScope, tmp_path: Path):
    job_id = world.submit(scope, tmp_path)
    with changed(redis_url="redis://127.0.0.1:1/0"):
        assert flush() == 0
        assert sweeper.sweep(service()) is not None  # the rest of a sweep goes on
    assert flush() == len(world.task_rows(job_id))


def test_two_relays_send_each_message_once(scope: TenantScope, redis_url: str):
    with unit_of_work() as session:
        for number in range(300):
            outbox.enqueue(session, broker.TASK_RUN, Queue.MODEL, [str(number)])
    relays = [threading.Thread(target=flush) for _ in range(4)]
    for relay in relays:
        relay.start()
    for relay in relays:
        relay.join()
    flush()
    assert num_in_queue(redis_url) == 300


@pytest.mark.parametrize("point", ["relay_selected", "relay_sent"])
def test_a_relay_that_dies_loses_nothing(scope: TenantScope, tmp_path: Path, redis_url: str, point: str):
    job_id = world.submit(scope, tmp_path)
    program = (
        "from adaptwin_core.service import outbox; from adaptwin_core.service.bootstrap import bootstrap; "
        "from adaptwin_core.store.settings import Settings; "
        "service = bootstrap(Settings()); outbox.flush(service.database, service.broker)"
    )
    died = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "ADAPTWIN_KILL_AT": point},
        check=False,
    )
    assert died.returncode == EXIT_CODE
    num_tasks = len(world.task_rows(job_id))
    expected = num_tasks + (point == "relay_sent")  # one rings twice; never too few

    def all_sent() -> bool:
        flush()
        return num_in_queue(redis_url) >= expected

    # PostgreSQL holds the dead relay's rows until it notices that nobody is at the other end.
    wait_until(all_sent, 10, "the messages that the dead relay held")
    flush()
    assert num_in_queue(redis_url) == expected


def test_flushall_loses_nothing(scope: TenantScope, tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch):
    job_id = world.submit(scope, tmp_path)
    num_tasks = len(world.task_rows(job_id))
    flush()
    sweeper.sweep(service())
    assert num_in_queue(redis_url) == num_tasks
    redis.from_url(redis_url).flushall()
    sweeper.sweep(service())
    assert num_in_queue(redis_url) == 0  # too early to tell lost from slow
    age_announcements()
    sweeper.sweep(service())
    assert num_in_queue(redis_url) == num_tasks


def test_a_busy_queue_is_not_filled_with_repeats(scope: TenantScope, tmp_path: Path, redis_url: str):
    job_id = world.submit(scope, tmp_path)
    flush()
    age_announcements()
    sweeper.sweep(service())
    assert num_in_queue(redis_url) == len(world.task_rows(job_id))


def age_announcements() -> None:
    old = timedelta(seconds=get_settings().resend_after_s + 1)
    with unit_of_work() as session:
        session.execute(update(Task).values(announced_at=func.now() - old))


def claim_all(owner: str = "gone") -> list[str]:
    ids = world.queued_ids()
    for task_id in ids:
        with unit_of_work() as session:
            service().tasks.claim(session, task_id, owner)
    return ids


def test_a_silent_workers_tasks_come_back(scope: TenantScope, tmp_path: Path, redis_url: str):
    job_id = world.submit(scope, tmp_path)
    ids = claim_all()
    assert sweeper.sweep(service()).num_expired == 0  # alive as far as anyone knows
    redis.from_url(redis_url).flushall()
    world.let_leases_run_out()
    assert sweeper.sweep(service()).num_expired == len(ids)
    assert {task.state for task in world.task_rows(job_id)} == {TaskState.QUEUED}
    assert num_in_queue(redis_url) == len(ids)


def test_two_sweepers_do_the_work_of_one(scope: TenantScope, tmp_path: Path, redis_url: str):
    world.submit(scope, tmp_path)
    ids = claim_all()
    world.let_leases_run_out()
    swept: list[sweeper.Swept | None] = []
    sweepers = [threading.Thread(target=lambda: swept.append(sweeper.sweep(service()))) for _ in range(4)]
    for thread in sweepers:
        thread.start()
    for thread in sweepers:
        thread.join()
    assert sum(one.num_expired for one in swept if one is not None) == len(ids)
    assert num_in_queue(redis_url) == 2 * len(ids)  # rung for when submitted, and once more now


def test_a_task_that_keeps_killing_its_worker_is_given_up(scope: TenantScope, tmp_path: Path):
    job_id = world.submit(scope, tmp_path, spec=world.STARTS_WIDE)
    poison, sibling = world.queued_ids()
    for _ in range(get_settings().max_attempts):
        with unit_of_work() as session:
            assert service().tasks.claim(session, poison, "doomed") is not None
        world.let_leases_run_out()
        sweeper.sweep(service())
    job = world.job_row(job_id)
    assert (job.state, job.error["code"]) == (JobState.FAILED, "poison")
    assert "memory" in job.error["message"]
    states = {task.id: task.state for task in world.task_rows(job_id)}
    assert states == {poison: TaskState.FAILED, sibling: TaskState.CANCELLED}


def test_a_job_that_stands_still_moves_on(scope: TenantScope, tmp_path: Path):
    job_id = world.submit(scope, tmp_path)
    run_task(service(), world.queued_ids()[0], lambda: world.stub_stage)
    with unit_of_work() as session:  # as if the last completion had been lost half-way, which cannot happen
        session.execute(update(Task).where(Task.job_id == job_id).values(state=TaskState.DONE))
    assert sweeper.sweep(service()).num_advanced == 1
    assert world.job_row(job_id).stage == "weigh"
    assert sweeper.sweep(service()).num_advanced == 0


def test_a_dataset_without_a_task_does_not_wait_for_ever(scope: TenantScope, tmp_path: Path):
    dataset_id = world.add_dataset(scope, tmp_path)
    with unit_of_work() as session:
        session.execute(update(Dataset).values(state=DatasetState.PROBING))
    assert sweeper.sweep(service()).num_stuck_datasets == 1
    with unit_of_work() as session:
        assert session.get_one(Dataset, dataset_id).state == DatasetState.FAILED


def test_folders_of_dead_workers_are_removed(scope: TenantScope, tmp_path: Path):
    world.submit(scope, tmp_path, spec=world.STARTS_WIDE)
    held, _ = claim_all()
    root = get_settings().data_dir / "work"
    living, dead = root / f"{held}-1-abc", root / f"{held}-0-abc"
    for folder in (living, dead):
        folder.mkdir(parents=True)
    sweeper.sweep(service())
    assert living.exists()
    assert not dead.exists()


def test_sent_messages_are_forgotten_after_a_while(scope: TenantScope, tmp_path: Path):
    world.submit(scope, tmp_path)
    flush()
    with unit_of_work() as session:
        session.execute(update(Outbox).values(sent_at=func.now() - timedelta(days=2)))
    sweeper.sweep(service())
    with unit_of_work() as session:
        assert session.scalar(select(func.count()).select_from(Outbox)) == 0
        assert session.scalar(select(func.count()).select_from(Job)) == 1

"""Real Celery workers in processes of their own, killed as machines kill them."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import redis

from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.states import JobState, TaskState
from tests.integration import world
from tests.service_under_test import changed, flush, service
from tests.waiting import wait_until
from worker.runner import run_task

ROOT = Path(__file__).parents[2]
StartWorker = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start_worker(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StartWorker]:
    """Start workers with short leases; whatever is left of them is killed at the end."""
    short = {"lease_s": 2.0, "heartbeat_s": 0.3, "sweep_s": 0.5, "resend_after_s": 1.0, "max_attempts": 2}
    for name, value in short.items():
        monkeypatch.setenv(f"ADAPTWIN_{name.upper()}", str(value))
    started: list[subprocess.Popen[bytes]] = []

    def start(queues: str, *, beat: bool = False, **env: str) -> subprocess.Popen[bytes]:
        log = (tmp_path / f"worker-{len(started)}.log").open("wb")
        command = [sys.executable, "-m", "celery", "-A", "tests.integration.stub_worker", "worker"]
        options = ["-Q", queues, "-c", "1", "-n", f"w{len(started)}@test", "-l", "INFO", *(["-B"] if beat else [])]
        worker = subprocess.Popen(
            command + options,
            cwd=ROOT,
            env={**os.environ, **env},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        started.append(worker)
        return worker

    with changed(**short):
        yield start
    for worker in started:
        kill_group(worker)
    for path in sorted(tmp_path.glob("worker-*.log")):
        sys.stdout.write(f"--- {path.name}\n{path.read_text()[-3000:]}\n")


def kill_group(worker: subprocess.Popen[bytes]) -> None:
    """Parent and children, at once."""
    try:
        os.killpg(worker.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    worker.wait()


def kill_holder(workers: list[subprocess.Popen[bytes]], job_id: str, stage: Stage) -> None:
    """Wait until a worker holds a task of this stage, and kill it in the middle."""
    held: list[int] = []

    def is_held() -> bool:
        owners = [task.lease_owner for task in world.task_rows(job_id, stage) if task.state == TaskState.RUNNING]
        held[:] = [int(owner.split(":")[1]) for owner in owners if owner]
        return bool(held)

    wait_until(is_held, 30, f"the start of {stage}")
    parent_pid = psutil.Process(held[0]).ppid()
    kill_group(next(worker for worker in workers if worker.pid == parent_pid))


def finished(job_id: str) -> Callable[[], bool]:
    return lambda: world.job_row(job_id).state in {JobState.SUCCEEDED, JobState.FAILED}


def undisturbed(scope: TenantScope, tmp_path: Path) -> dict[str, object]:
    """What a job makes when nothing goes wrong."""
    job_id = world.submit(scope, tmp_path)
    while ids := world.queued_ids():
        for task_id in ids:
            run_task(service(), task_id, lambda: world.stub_stage)
    return {name: [file.sha256 for file in files.values()] for name, files in world.result_files(job_id).items()}  # type: ignore[attr-defined]


def test_killed_workers_and_a_lost_queue_delay_a_job_and_change_nothing(
    scope: TenantScope, other_scope: TenantScope, tmp_path: Path, redis_url: str, start_worker: StartWorker
):
    expected = undisturbed(other_scope, tmp_path)
    flush()
    redis.from_url(redis_url).flushall()
    start_worker("platform", beat=True, ADAPTWIN_MAX_ATTEMPTS="10")
    workers = [start_worker("model", STUB_SECONDS="0.4", ADAPTWIN_MAX_ATTEMPTS="10") for _ in range(3)]
    job_id = world.submit(scope, tmp_path)
    flush()
    kill_holder(workers, job_id, Stage.FACTORIZE)
    redis.from_url(redis_url).flushall()
    kill_holder(workers, job_id, Stage.TUNE)
    wait_until(finished(job_id), 30, "the end of the job")
    assert world.job_row(job_id).state == JobState.SUCCEEDED, world.job_row(job_id).error
    rows = world.task_rows(job_id)
    assert max(task.attempt for task in rows) > 1, "nothing was hit: the test proved nothing"
    told = world.num_events(job_id)
    assert all(told["task", task.stage, task.key] == 1 for task in rows)
    made = world.result_files(job_id)
    assert {name: [file.sha256 for file in files.values()] for name, files in made.items()} == expected  # type: ignore[attr-defined]


def test_a_poison_block_fails_its_job_and_leaves_the_queue_alive(
    scope: TenantScope, other_scope: TenantScope, tmp_path: Path, start_worker: StartWorker
):
    start_worker("platform", beat=True)
    start_worker("model", STUB_SECONDS="0", STUB_POISON="encoder.3.self")
    job_id = world.submit(scope, tmp_path)
    flush()
    wait_until(finished(job_id), 45, "the end of the poisoned job")
    job = world.job_row(job_id)
    assert (job.state, job.error["code"], job.error["task"]) == (JobState.FAILED, "poison", "weigh encoder.3.self")
    [poison] = [task for task in world.task_rows(job_id) if task.key == "encoder.3.self"]
    assert poison.attempt == 2
    next_job = world.submit(other_scope, tmp_path)
    flush()
    wait_until(
        lambda: all(t.state == TaskState.DONE for t in world.task_rows(next_job, Stage.CALIBRATE)),
        15,
        "another job's work",
    )


def test_an_overdue_task_is_ended_from_outside(scope: TenantScope, tmp_path: Path, start_worker: StartWorker):
    start_worker("model", STUB_SECONDS="60", ADAPTWIN_TASK_DEADLINE_S="0.5", ADAPTWIN_MAX_ATTEMPTS="1")
    job_id = world.submit(scope, tmp_path)
    flush()
    wait_until(finished(job_id), 30, "the end of the overdue job")
    assert world.job_row(job_id).error["code"] == "deadline"

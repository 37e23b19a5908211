"""A task's body runs under a lease, its outcome is written once, and equal work is done once."""

import os
import random
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select

from adaptwin_core.domain.budgets import DEEPEST_CUT, HEADER_BYTES
from adaptwin_core.domain.errors import InvalidInput
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.stage_table import JOB_STAGES
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.states import JobState, TaskState
from adaptwin_core.domain.vocabulary import LEAST_MULTILINGUAL, smallest_shape
from adaptwin_core.ml.stages.task_result import TaskResult
from adaptwin_core.service import jobs, models, sweeper
from adaptwin_core.store.killpoints import EXIT_CODE
from adaptwin_core.store.tables import BaseModel, Model
from tests.integration import world
from tests.service_under_test import changed, get_blobs, get_settings, service, unit_of_work
from tests.waiting import wait_until
from worker.context import StageContext
from worker.runner import run_task

CALIBRATE_TASKS, BLOCKS = 2, 6


class Body:
    """A stub stage that counts its calls, and may first do something of the test's own."""

    def __init__(self, first: Callable[[StageContext], None] = lambda _: None) -> None:
        self._first = first
        self._lock = threading.Lock()
        self.calls: list[tuple[str, str]] = []

    def __call__(self, ctx: StageContext) -> TaskResult:
        with self._lock:
            self.calls.append((ctx.stage, str(ctx.key)))
        self._first(ctx)
        return world.stub_stage(ctx)


# How often each stage of a job is set out. An English model has no vocabulary to choose, max_wer alone needs a search,
# and one model needs no choice.
TOLD = {stage: int(stage not in {Stage.VOCABULARY, Stage.SEARCH, Stage.CHOOSE}) for stage in JOB_STAGES}


def test_a_job_goes_from_stage_to_stage_and_ends_in_a_model(scope: TenantScope, tmp_path: Path):
    job_id = world.submit(scope, tmp_path)
    body = Body()
    world.run_all(body)
    job = world.job_row(job_id)
    assert (job.state, job.remaining, job.error) == (JobState.SUCCEEDED, 0, None)
    assert [stage for stage, _ in body.calls] == (
        [Stage.PERSONALIZE]
        + [Stage.CALIBRATE] * CALIBRATE_TASKS
        + [Stage.WEIGH] * BLOCKS
        + [Stage.FACTORIZE] * BLOCKS
        + [Stage.TUNE]
        + [Stage.EVALUATE] * 3
        + [Stage.PUBLISH]
    )
    model = world.model_of(job_id)
    assert model.manifest["wer"] == 0.1
    last = world.last_event(job_id)
    assert last.message == "the model is ready: no worse than the original for this speaker."
    assert last.data["verdict"] == world.VERDICT
    assert set(model.manifest["files"]) == {"model.safetensors"}
    with unit_of_work() as session:
        blob = models.files(session, scope, model.id)["model.safetensors"]
    data = b"".join(get_blobs().read(blob.sha256, scope=scope.tenant_id))
    assert len(data) == blob.bytes
    assert not list((get_settings().data_dir / "work").iterdir())


@pytest.mark.parametrize("num_more", [0, 1000])
def test_a_size_is_judged_again_once_the_tokens_are_chosen(scope: TenantScope, tmp_path: Path, num_more: int):
    shape = world.SHAPE.with_tokens(LEAST_MULTILINGUAL)
    least = smallest_shape(CompressionSpec(), shape)
    layers = least.encoder_params + least.decoder_layer_params
    spec = CompressionSpec(max_bytes=HEADER_BYTES + 2 * (least.total_params - int(DEEPEST_CUT * layers)))
    with unit_of_work() as session:
        session.merge(BaseModel(id="many", source="folder:many", digest="c" * 64, shape=shape, licence=None))
    job_id = world.submit(scope, tmp_path, base_model="many", spec=spec)
    worked = []

    def body(ctx: StageContext) -> TaskResult:
        worked.append(ctx.stage)
        made = world.stub_stage(ctx)
        chosen = {"kept": least.vocab_size + num_more} if ctx.stage is Stage.VOCABULARY else {}
        return TaskResult(made.files, {**made.figures, **chosen})

    world.run_all(body)
    job = world.job_row(job_id)
    if num_more == 0:
        assert (job.state, job.error) == (JobState.SUCCEEDED, None)
    else:
        assert (job.state, job.error["code"], worked) == (JobState.FAILED, "invalid_spec", [Stage.VOCABULARY])
        fits = re.search(r"\(([\d,]+) bytes\) must stay", job.error["message"])
        assert int(fits[1].replace(",", "")) == spec.max_bytes + 2 * num_more * shape.d_model
        assert world.queued_ids() == []


def test_a_stage_without_tasks_is_passed_over(scope: TenantScope, tmp_path: Path):
    job_id = world.submit(scope, tmp_path, spec=CompressionSpec(plan="uniform"))
    body = Body()
    world.run_all(body)
    assert world.job_row(job_id).state == JobState.SUCCEEDED
    assert Stage.WEIGH not in {stage for stage, _ in body.calls}


def test_a_general_dataset_is_evaluated_too(scope: TenantScope, tmp_path: Path):
    general = world.add_dataset(scope, tmp_path, "general")
    job_id = world.submit(scope, tmp_path, general_dataset_id=general, spec=CompressionSpec(decoder_cut=0.2))
    world.run_all(Body())
    assert [task.key for task in world.task_rows(job_id, Stage.EVALUATE)] == [
        "base:speaker:whole",
        "compressed:speaker:whole",
        "compressed:speaker:fitted",
        "base:general:whole",
        "compressed:general:whole",
        "compressed:general:fitted",
    ]
    assert len(world.task_rows(job_id, Stage.FACTORIZE)) == BLOCKS + 2  # self and cross of the one decoder layer


def test_equal_work_is_done_once_per_tenant(scope: TenantScope, other_scope: TenantScope, tmp_path: Path):
    first = world.submit(scope, tmp_path)
    world.run_all(Body())
    body = Body()
    second = world.submit(scope, tmp_path)
    world.run_all(body)
    assert body.calls == []
    assert world.result_files(second) == world.result_files(first)
    assert world.model_of(second).manifest == world.model_of(first).manifest
    theirs = world.submit(other_scope, tmp_path)
    world.run_all(body)
    assert len(body.calls) == len(world.task_rows(theirs))


def test_a_changed_setting_redoes_only_what_it_touches(scope: TenantScope, tmp_path: Path):
    world.submit(scope, tmp_path)
    world.run_all(Body())
    body = Body()
    world.submit(scope, tmp_path, spec=CompressionSpec(tune_steps=7))
    world.run_all(body)
    assert {stage for stage, _ in body.calls} == {Stage.TUNE, Stage.EVALUATE, Stage.PUBLISH}
    assert (Stage.EVALUATE, "base:speaker:whole") not in body.calls


def test_damaged_results_are_made_again(scope: TenantScope, tmp_path: Path):
    first = world.submit(scope, tmp_path)
    world.run_all(Body())
    files = world.result_files(first)["factorize encoder.3.self"]
    blob = get_blobs().fetch(files["out.txt"].sha256, scope=scope.tenant_id)
    blob.chmod(0o644)
    blob.write_text("rot" + blob.read_text()[3:])
    body = Body()
    second = world.submit(scope, tmp_path)
    world.run_all(body)
    assert body.calls == [(Stage.FACTORIZE, "encoder.3.self")]
    assert world.result_files(second) == world.result_files(first)


def test_every_task_delivered_twice_by_many_threads_advances_once(scope: TenantScope, tmp_path: Path):
    job_id = world.submit(scope, tmp_path)
    body = Body(lambda _: time.sleep(random.random() * 0.01))
    finished = threading.Event()

    def hammer(seed: int) -> None:
        rng = random.Random(seed)
        while not finished.is_set():
            ids = [task.id for task in world.task_rows(job_id) if task.state != TaskState.CANCELLED]
            for task_id in rng.sample(ids, min(6, len(ids))):
                run_task(service(), task_id, lambda: body)
                run_task(service(), task_id, lambda: body)
            if world.job_row(job_id).state == JobState.SUCCEEDED:
                finished.set()

    with ThreadPoolExecutor(8) as pool:
        for outcome in [pool.submit(hammer, seed) for seed in range(8)]:
            outcome.result(timeout=60)
    told = world.num_events(job_id)
    assert {stage: told["stage", stage, None] for stage in JOB_STAGES} == TOLD
    rows = world.task_rows(job_id)
    assert all(told["task", task.stage, task.key] == 1 for task in rows)
    assert {task.attempt for task in rows} == {1}
    assert len(body.calls) == len(rows)
    world.model_of(job_id)  # raises unless there is exactly one


def test_late_twins_of_every_task_change_nothing(scope: TenantScope, tmp_path: Path):
    """Each body finds its lease taken over while it works; the twin that took it over finishes first."""

    def overtaken(ctx: StageContext) -> None:
        [held] = [t for t in world.task_rows(job_id) if t.state == TaskState.RUNNING and t.attempt == 1]
        world.let_leases_run_out()
        run_task(service(), held.id, lambda: world.stub_stage)

    job_id = world.submit(scope, tmp_path)
    body = Body(overtaken)
    world.run_all(body)
    assert world.job_row(job_id).state == JobState.SUCCEEDED
    rows = world.task_rows(job_id)
    assert {task.attempt for task in rows} == {2}
    told = world.num_events(job_id)
    assert all(told["task", task.stage, task.key] == 1 for task in rows)
    world.model_of(job_id)


@pytest.mark.parametrize("point", ["task_claimed", "task_worked", "task_stored", "task_finished", "task_committed"])
def test_a_worker_may_die_anywhere(scope: TenantScope, other_scope: TenantScope, tmp_path: Path, point: str):
    """The last task of a stage is the one that counts most: it must neither be lost nor advance the job twice."""
    undisturbed, job_id = world.submit(other_scope, tmp_path), world.submit(scope, tmp_path)
    run_task(service(), world.task_rows(job_id)[0].id, lambda: world.stub_stage)
    first, last = (task.id for task in world.task_rows(job_id, Stage.CALIBRATE))
    run_task(service(), first, lambda: world.stub_stage)
    program = (
        "import sys; from worker.runner import run_task; from tests.integration.world import stub_stage; "
        "from adaptwin_core.service.bootstrap import bootstrap; from adaptwin_core.store.settings import Settings"
    )
    died = subprocess.run(
        [sys.executable, "-c", f"{program}; run_task(bootstrap(Settings()), sys.argv[1], lambda: stub_stage)", last],
        env={**os.environ, "ADAPTWIN_KILL_AT": point},
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert died.returncode == EXIT_CODE
    is_done = point == "task_committed"
    assert world.job_row(job_id).stage == (Stage.WEIGH if is_done else Stage.CALIBRATE)
    world.let_leases_run_out()
    assert sweeper.sweep(service()).num_expired == (0 if is_done else 1)
    world.run_all(world.stub_stage)
    assert world.job_row(job_id).state == JobState.SUCCEEDED
    told = world.num_events(job_id)
    assert all(told["task", task.stage, task.key] == 1 for task in world.task_rows(job_id))
    assert {stage: told["stage", stage, None] for stage in JOB_STAGES} == TOLD
    assert world.result_files(job_id) == world.result_files(undisturbed)


class OutOfMemoryError(RuntimeError):
    """Named as torch's is."""


@pytest.mark.parametrize(
    ("error", "code"),
    [(MemoryError(), "resource_exhausted"), (OutOfMemoryError("CUDA out of memory"), "resource_exhausted")],
)
def test_running_out_of_memory_is_tried_again(scope: TenantScope, tmp_path: Path, error: Exception, code: str):
    failed: list[str] = []

    def once(ctx: StageContext) -> None:
        if not failed:
            failed.append(str(ctx.key))
            raise error

    job_id = world.submit(scope, tmp_path)
    run_task(service(), world.queued_ids()[0], lambda: Body(once))
    [task] = [task for task in world.task_rows(job_id) if task.key == failed[0]]
    assert (task.state, task.error["code"]) == (TaskState.QUEUED, code)
    world.run_all(Body(once))
    assert world.job_row(job_id).state == JobState.SUCCEEDED


@pytest.mark.parametrize(
    ("error", "code"),
    [(InvalidInput("no speech to train on"), "invalid_input"), (KeyError("secret words"), "internal")],
)
def test_a_final_error_fails_the_job_and_tells_no_secrets(
    scope: TenantScope, tmp_path: Path, error: Exception, code: str
):
    def broken(ctx: StageContext) -> None:
        if ctx.stage == Stage.TUNE:
            raise error

    job_id = world.submit(scope, tmp_path)
    world.run_all(Body(broken))
    job = world.job_row(job_id)
    assert (job.state, job.error["code"], job.error["task"]) == (JobState.FAILED, code, "tune model")
    assert "secret words" not in str(job.error)


@pytest.fixture
def quick(database: str) -> Iterator[None]:
    with changed(heartbeat_s=0.05):
        yield


def wait_for_stop(ctx: StageContext) -> None:
    for step in range(400):
        ctx.progress(step, 400)
        time.sleep(0.02)
    pytest.fail("nobody stopped this task")


@pytest.mark.usefixtures("quick")
def test_cancel_reaches_a_running_body(scope: TenantScope, tmp_path: Path):
    job_id = world.submit(scope, tmp_path)
    task_id = world.queued_ids()[0]
    thread = threading.Thread(target=run_task, args=(service(), task_id, lambda: Body(wait_for_stop)))
    thread.start()
    wait_until(lambda: any(t.progress for t in world.task_rows(job_id)), 10, "progress")
    with unit_of_work() as session:
        jobs.cancel(session, scope, job_id)
    thread.join(5)
    assert not thread.is_alive()
    assert {task.state for task in world.task_rows(job_id)} == {TaskState.CANCELLED}
    assert not list((get_settings().data_dir / "work").iterdir())


@pytest.mark.usefixtures("quick")
def test_a_body_that_lost_its_lease_stops(scope: TenantScope, tmp_path: Path):
    world.submit(scope, tmp_path)
    task_id = world.queued_ids()[0]
    stopped = threading.Event()

    def body(ctx: StageContext) -> TaskResult:
        taken = None
        while taken is None:  # a heartbeat may renew the lease between the two
            world.let_leases_run_out()
            with unit_of_work() as session:
                taken = service().tasks.claim(session, task_id, "twin")
        try:
            wait_for_stop(ctx)
        finally:
            stopped.set()
        return TaskResult({})

    run_task(service(), task_id, lambda: body)
    assert stopped.is_set()


def test_a_deleted_model_leaves_nothing_behind(scope: TenantScope, tmp_path: Path):
    kept, dropped = world.submit(scope, tmp_path), world.submit(scope, tmp_path, spec=CompressionSpec(tune_steps=7))
    world.run_all(Body())
    model = world.model_of(dropped)
    with unit_of_work() as session:
        models.delete(session, scope, model.id)
    sweeper.sweep(service())
    blobs = get_blobs()
    for file in model.manifest["files"].values():
        assert not blobs.exists(file["sha256"], scope=scope.tenant_id)
    for files in world.result_files(kept).values():  # what both stood on stays for the other
        assert all(blobs.exists(file.sha256, scope=scope.tenant_id) for file in files.values())
    assert len(world.result_files(kept)) == len(world.task_rows(kept))
    with unit_of_work() as session:
        assert [row.job_id for row in models.list_models(session, scope, after=None, limit=9)] == [kept]
        assert "files" not in session.scalars(select(Model).where(Model.id == model.id)).one().manifest

"""A sealed dataset's uploads become a corpus that a job can use, or a reason why not."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sqlalchemy import text

from adaptwin_core.domain.errors import LeaseLost
from adaptwin_core.domain.ids import new_id
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.states import DatasetState, TaskState, UploadState
from adaptwin_core.service import datasets, pipeline, sweeper
from adaptwin_core.speech.corpus import Corpus
from adaptwin_core.store.queries import datasets as dataset_queries
from adaptwin_core.store.tables import Dataset, Task, Upload
from tests.integration import world
from tests.service_under_test import get_blobs, get_settings, service, unit_of_work
from worker.runner import run_task


def sealed_dataset(scope: TenantScope, *files: Path) -> tuple[str, str]:
    """A dataset with these files uploaded, its ingest queued. Returns its id and the task's."""
    dataset_id, task_id = new_id("ds"), new_id("task")
    with unit_of_work() as session:
        session.add(Dataset(id=dataset_id, tenant_id=scope.tenant_id, name="mine", state=DatasetState.PROBING))
        session.flush()
        for file in files:
            ref = get_blobs().put(file, scope=scope.tenant_id)
            session.add(
                Upload(
                    id=new_id("up"),
                    tenant_id=scope.tenant_id,
                    dataset_id=dataset_id,
                    file_name=file.name,
                    label=file.name,
                    length=ref.bytes,
                    offset=ref.bytes,
                    state=UploadState.COMPLETE,
                    sha256=ref.sha256,
                    expires_at=world.far_future(),
                )
            )
        session.add(Task(id=task_id, dataset_id=dataset_id, stage=Stage.INGEST, key=Stage.INGEST))
        pipeline.announce(session, task_id, Stage.INGEST)
    return dataset_id, task_id


def dataset_row(dataset_id: str) -> Dataset:
    with unit_of_work() as session:
        return session.get_one(Dataset, dataset_id)


def never() -> None:
    pytest.fail("reading speech needs no stage body")


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    path = tmp_path / "hello.wav"
    soundfile.write(path, 0.1 * rng.standard_normal(3 * 16_000), 16_000)
    return path


def test_speech_becomes_a_ready_dataset(scope: TenantScope, wav: Path, tmp_path: Path):
    text = tmp_path / "hello.txt"
    text.write_text("hello there, how are you today")
    dataset_id, task_id = sealed_dataset(scope, wav, text)
    run_task(service(), task_id, never)
    dataset = dataset_row(dataset_id)
    assert (dataset.state, dataset.error) == (DatasetState.READY, None)
    assert (dataset.report.clips, dataset.report.labelled, dataset.report.labelled_train) == (1, 1, 1)
    assert dataset.report.seconds == pytest.approx(3.0, abs=0.01)
    folder = tmp_path / "corpus"
    folder.mkdir()
    for name, file in dataset.files.items():
        (folder / name).write_bytes(get_blobs().fetch(file.sha256, scope=scope.tenant_id).read_bytes())
    corpus = Corpus.load(folder)
    assert corpus.digest == dataset.digest
    assert corpus.clips[0].text == "hello there, how are you today"
    assert len(corpus.audio(corpus.clips[0])) == 3 * 16_000
    world.submit(scope, tmp_path, dataset_id=dataset_id, accept_little=True)


def test_what_is_no_speech_fails_with_a_reason(scope: TenantScope, tmp_path: Path):
    nonsense = tmp_path / "nonsense.wav"
    nonsense.write_bytes(b"not audio at all" * 100)
    dataset_id, task_id = sealed_dataset(scope, nonsense)
    run_task(service(), task_id, never)
    dataset = dataset_row(dataset_id)
    assert (dataset.state, dataset.error["code"]) == (DatasetState.FAILED, "no_audio")
    assert "nonsense.wav" in dataset.error["message"]


def test_a_dataset_deleted_meanwhile_stays_deleted(scope: TenantScope, wav: Path):
    dataset_id, task_id = sealed_dataset(scope, wav)
    with unit_of_work() as session:
        datasets.delete(session, scope, dataset_id)
    run_task(service(), task_id, never)
    assert dataset_row(dataset_id).state == DatasetState.DELETED


def test_deletion_and_a_failure_at_once_do_not_wait_for_each_other(scope: TenantScope):
    dataset_id, task_id = sealed_dataset(scope)
    with unit_of_work() as session:
        held = service().tasks.claim(session, task_id, "slow")
    assert held is not None

    def fail() -> None:
        with unit_of_work() as session:
            service().tasks.fail(session, held, {"code": "no_audio", "message": "no speech"}, retryable=False)

    with ThreadPoolExecutor(1) as pool:
        with unit_of_work() as session:
            dataset_queries.get(session, scope, dataset_id, lock="update")
            failing = pool.submit(fail)
            world.wait_until(is_anyone_waiting_for_a_lock, 10, "waiting for the dataset")
            datasets.delete(session, scope, dataset_id)  # takes the task's row, too
        with pytest.raises(LeaseLost):
            failing.result(10)
    assert dataset_row(dataset_id).state == DatasetState.DELETED


def is_anyone_waiting_for_a_lock() -> bool:
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with service().database.engine.connect() as connection:
        return bool(connection.scalar(text(query)))


def test_a_reader_that_keeps_dying_fails_the_dataset(scope: TenantScope, wav: Path):
    dataset_id, task_id = sealed_dataset(scope, wav)
    for _ in range(get_settings().max_attempts):
        with unit_of_work() as session:
            assert service().tasks.claim(session, task_id, "doomed") is not None
        world.let_leases_run_out()
        sweeper.sweep(service())
    assert (dataset_row(dataset_id).state, dataset_row(dataset_id).error["code"]) == (DatasetState.FAILED, "poison")
    with unit_of_work() as session:
        assert session.get_one(Task, task_id).state == TaskState.FAILED

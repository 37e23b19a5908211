"""Submitting, following and cancelling jobs."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from adaptwin_core.domain.errors import Conflict, InvalidInput, InvalidSpec, LeaseLost, LimitExceeded, NotFound
from adaptwin_core.domain.members import Member
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.spec import CompressionSpec, SpectralRanks
from adaptwin_core.domain.stages import Queue, Stage
from adaptwin_core.domain.states import DatasetState, JobState, TaskState
from adaptwin_core.service import broker, jobs, results
from adaptwin_core.service.job_tasks import StageOutcome
from adaptwin_core.store.tables import BaseModel, Dataset, Job, Outbox
from tests.integration import world
from tests.service_under_test import service, unit_of_work


def test_a_new_job_has_its_first_stage_announced(scope: TenantScope, tmp_path: Path):
    job_id = world.submit(scope, tmp_path)
    job = world.job_row(job_id)
    assert (job.state, job.stage) == (JobState.QUEUED, Stage.PERSONALIZE)
    with unit_of_work() as session:
        messages = session.scalars(select(Outbox)).all()
    assert {(m.topic, m.queue, m.args[0]) for m in messages} == {
        (broker.TASK_RUN, Queue.MODEL, task.id) for task in world.task_rows(job_id)
    }
    assert job.remaining == len(messages) == 1


def test_without_general_speech_the_speaker_counts_alone(scope: TenantScope, tmp_path: Path):
    job_id = world.submit(scope, tmp_path, spec=CompressionSpec(speaker_weight=0.3))
    assert world.job_row(job_id).members[0].spec.speaker_weight == 1.0
    with unit_of_work() as session:
        told = jobs.events(session, scope, job_id, after_id=0, limit=100)
        assert "no_general_speech" in [event.data.get("code") for event in told if event.kind == "warning"]
        assert jobs.events(session, scope, job_id, after_id=told[-1].id, limit=100) == []


OLDER_REPORT = {name: told for name, told in world.REPORT.items() if name not in {"labelled_train", "parts"}}


@pytest.mark.parametrize(
    ("report", "first", "steps"),
    [
        (world.REPORT, Stage.PERSONALIZE, 80),
        (world.report(labelled=False), Stage.CALIBRATE, 320),
        (OLDER_REPORT, Stage.PERSONALIZE, 80),
    ],
)
def test_without_transcripts_to_train_on_all_steps_come_after_the_cut(
    scope: TenantScope, tmp_path: Path, report: dict[str, Any], first: Stage, steps: int
):
    dataset = world.add_dataset(scope, tmp_path, report=report)
    job_id = world.submit(scope, tmp_path, dataset_id=dataset)
    job = world.job_row(job_id)
    assert (job.stage, job.members[0].spec.tune_steps) == (first, steps)
    with unit_of_work() as session:
        told = jobs.events(session, scope, job_id, after_id=0, limit=100)
        assert ("no_transcripts" in [event.data.get("code") for event in told]) is (first is Stage.CALIBRATE)


def test_one_key_makes_one_job_however_many_ask_at_once(scope: TenantScope, tmp_path: Path):
    dataset_id = world.add_dataset(scope, tmp_path)
    world.add_base()

    def ask(_: int) -> tuple[str, bool]:
        with unit_of_work() as session:
            job, is_new = jobs.submit(
                session,
                scope,
                dataset_id=dataset_id,
                general_dataset_id=None,
                members=[Member(base_model=world.BASE_ID, spec=CompressionSpec())],
                name="once",
                idempotency_key="k",
                max_unfinished=1,
                num_shards=2,
            )
            return job.id, is_new

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(20)))
    assert len({job_id for job_id, _ in answers}) == 1
    assert sum(is_new for _, is_new in answers) == 1
    with pytest.raises(Conflict) as mismatch:
        world.submit(scope, tmp_path, dataset_id=dataset_id, name="other", idempotency_key="k")
    assert mismatch.value.code == "idempotency_mismatch"


def test_a_key_is_the_tenants_own(scope: TenantScope, other_scope: TenantScope, tmp_path: Path):
    assert world.submit(scope, tmp_path, idempotency_key="k") != world.submit(
        other_scope, tmp_path, idempotency_key="k"
    )


def test_speech_must_be_ready_ones_own_and_not_its_own_contrast(
    scope: TenantScope, other_scope: TenantScope, tmp_path: Path
):
    dataset_id = world.add_dataset(scope, tmp_path)
    theirs = world.add_dataset(other_scope, tmp_path)
    with pytest.raises(NotFound):
        world.submit(scope, tmp_path, dataset_id=theirs)
    with pytest.raises(NotFound):
        world.submit(scope, tmp_path, dataset_id=dataset_id, general_dataset_id=theirs)
    with pytest.raises(InvalidInput):
        world.submit(scope, tmp_path, dataset_id=dataset_id, general_dataset_id=dataset_id)
    with unit_of_work() as session:
        session.execute(update(Dataset).where(Dataset.id == dataset_id).values(state=DatasetState.PROBING))
    with pytest.raises(Conflict) as not_ready:
        world.submit(scope, tmp_path, dataset_id=dataset_id)
    assert not_ready.value.code == "dataset_not_ready"
    with unit_of_work() as session:
        assert session.scalar(select(func.count()).select_from(Job)) == 0


def test_a_cut_that_cannot_be_made_is_refused_at_once(scope: TenantScope, tmp_path: Path):
    with pytest.raises(InvalidSpec):
        world.submit(scope, tmp_path, spec=CompressionSpec(ranks=SpectralRanks(qk=1000)))


@pytest.mark.parametrize(("words", "told"), [(0, "0 words"), (99, "99 words"), (100, None)])
def test_a_wanted_error_rate_needs_words_to_judge_it_by(
    scope: TenantScope, tmp_path: Path, words: int, told: str | None
):
    report = world.report(labelled=words > 0)
    for name in ("train", "valid"):
        report["parts"][name] |= {"words": words, "characters": 5 * words}
    dataset = world.add_dataset(scope, tmp_path, report=report)
    if told is None:
        assert world.submit(scope, tmp_path, dataset_id=dataset, spec=CompressionSpec(max_wer=8.0))
        return
    with pytest.raises(InvalidSpec, match=told) as refused:
        world.submit(scope, tmp_path, dataset_id=dataset, spec=CompressionSpec(max_wer=8.0))
    assert refused.value.code == "nothing_to_search_by"


def test_unfinished_jobs_are_limited(scope: TenantScope, tmp_path: Path):
    dataset_id = world.add_dataset(scope, tmp_path)
    first = world.submit(scope, tmp_path, dataset_id=dataset_id, max_unfinished=2)
    world.submit(scope, tmp_path, dataset_id=dataset_id, max_unfinished=2)
    with pytest.raises(LimitExceeded):
        world.submit(scope, tmp_path, dataset_id=dataset_id, max_unfinished=2)
    with unit_of_work() as session:
        jobs.cancel(session, scope, first)
    world.submit(scope, tmp_path, dataset_id=dataset_id, max_unfinished=2)


def test_jobs_are_listed_newest_first_and_only_to_their_owner(
    scope: TenantScope, other_scope: TenantScope, tmp_path: Path
):
    made = [world.submit(scope, tmp_path) for _ in range(3)]
    with unit_of_work() as session:
        assert [job.id for job in jobs.list_jobs(session, scope, after=None, limit=2)] == made[:0:-1]
        assert [job.id for job in jobs.list_jobs(session, scope, after=made[1], limit=2)] == made[:1]
        assert jobs.list_jobs(session, other_scope, after=None, limit=9) == []
        for forbidden in (jobs.get, jobs.cancel, jobs.tasks):
            with pytest.raises(NotFound):
                forbidden(session, other_scope, made[0])


def test_cancel_stops_queued_and_running_tasks(scope: TenantScope, tmp_path: Path):
    job_id = world.submit(scope, tmp_path, spec=world.STARTS_WIDE)
    task_id, other_id = world.queued_ids()
    with unit_of_work() as session:
        held = service().tasks.claim(session, task_id, "a")
    with unit_of_work() as session:
        assert jobs.cancel(session, scope, job_id).state == JobState.CANCELLED
    assert {task.state for task in world.task_rows(job_id)} == {TaskState.CANCELLED}
    with unit_of_work() as session:
        assert service().tasks.heartbeat(session, held, None) is TaskState.CANCELLED
        assert service().tasks.claim(session, other_id, "b") is None
    with pytest.raises(LeaseLost), unit_of_work() as session:
        service().tasks.complete(session, held, StageOutcome("key", results.Made({}, {})))
    with pytest.raises(Conflict), unit_of_work() as session:
        jobs.cancel(session, scope, job_id)


@pytest.mark.parametrize(
    ("languages", "language", "told"),
    [
        (["en", "de", "zh"], "German", None),
        (["en"], "en-GB", None),
        (None, "en", None),
        (["en"], "de-DE", "hears English only"),
        (["en", "de", "zh"], "Cantonese", "give zh"),
        (None, "de", "register it again"),
    ],
)
def test_the_base_model_must_have_the_language(
    scope: TenantScope, tmp_path: Path, languages: list[str] | None, language: str, told: str | None
):
    world.add_base()
    with unit_of_work() as session:
        session.get_one(BaseModel, world.BASE_ID).languages = languages
    spec = CompressionSpec(language=language)
    try:
        if told is None:
            assert world.job_row(world.submit(scope, tmp_path, spec=spec)).members[0].spec.language in {"de", "en"}
        else:
            with pytest.raises(InvalidSpec, match=told):
                world.submit(scope, tmp_path, spec=spec)
    finally:
        with unit_of_work() as session:
            session.get_one(BaseModel, world.BASE_ID).languages = None

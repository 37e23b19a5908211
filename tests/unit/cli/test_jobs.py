"""What `adaptwin jobs submit` sends, and how `adaptwin jobs watch` tells of a job."""

import json
from datetime import datetime
from typing import Any

import pytest

from adaptwin_core.cli.job_progress import progress_of
from adaptwin_core.cli.job_settings import parse_settings
from adaptwin_core.cli.stage_shares import STAGE_SHARES
from adaptwin_core.domain.errors import InvalidSpec
from adaptwin_core.domain.stage_table import JOB_STAGES
from adaptwin_core.domain.stages import Stage
from adaptwin_core.rest.jobs import JobOut
from tests.unit.cli.conftest import Adaptwin
from tests.unit.cli.fake_service import NOW, FakeService, dataset, job, page

ADA, OTHERS = f"ds_{'0' * 26}", f"ds_{'1' * 26}"
BASE = {"digest": "0", "licence": None, "languages": None, "params": {"encoder": 1, "decoder": 1, "total": 2}}
LAYERS = {f"{half}_{what}": 2 for half in ("encoder", "decoder") for what in ("layers", "heads", "ffn")}
INPUT = {"vocab_size": 1000, "num_mel_bins": 80, "max_source_positions": 1500, "max_target_positions": 448}
SHAPE = {"d_model": 64} | LAYERS | INPUT
START = datetime.fromisoformat(NOW)


@pytest.fixture(autouse=True)
def _holds_speech(service: FakeService) -> None:
    service.on("GET /v1/datasets", page(dataset(OTHERS, "others"), dataset(ADA, "Ada")))
    service.on("POST /v1/jobs", job(), 201)


def test_a_job_is_sent_as_it_was_meant(adaptwin: Adaptwin, service: FakeService) -> None:
    options = ["--dataset", "Ada", "--general", OTHERS, "--base-model", "whisper-base", "--name", "mine"]
    options += ["--encoder-cut", "0", "--settings", '{"weights": "int8"}', "--language", "German", "--accept-little"]
    ran = adaptwin("jobs", "submit", *options)
    assert (ran.code, ran.out) == (0, "job_1 is submitted: `adaptwin jobs watch job_1`\n")
    assert service.bodies("POST /v1/jobs") == [
        {
            "dataset_id": ADA,
            "general_dataset_id": OTHERS,
            "base_model": "whisper-base",
            "name": "mine",
            "spec": {"encoder_cut": 0.0, "weights": "int8", "language": "de"},
            "accept_little": True,
        }
    ]


def test_a_family_is_sent_as_it_was_meant(adaptwin: Adaptwin, service: FakeService) -> None:
    options = ["--dataset", ADA, "--base-model", "a", "--base-model", "b", "--make", "frontier"]
    assert adaptwin("jobs", "submit", *options, "--limits", '{"device": "phone"}').code == 0
    assert adaptwin("jobs", "submit", *options[:-1], '[{"encoder_cut": 0.3}]').code == 0
    of_both = {"dataset_id": ADA, "base_models": ["a", "b"], "spec": {}, "accept_little": False}
    assert service.bodies("POST /v1/jobs") == [
        of_both | {"make": "frontier", "limits": {"device": "phone"}},
        of_both | {"make": [{"encoder_cut": 0.3}]},
    ]
    ran = adaptwin("jobs", "submit", *options, "--limits", '{"devise": "phone"}')
    assert ran.code == 1
    assert "did you mean device?" in ran.err


@pytest.mark.parametrize(("names", "told"), [(["a", "b"], "give --base-model, one of a, b"), ([], "adaptwin base add")])
def test_of_several_base_models_one_must_be_named(
    adaptwin: Adaptwin, service: FakeService, monkeypatch: pytest.MonkeyPatch, names: list[str], told: str
) -> None:
    service.on("GET /v1/base-models", page(*(_base_model(name) for name in names)))
    ran = adaptwin("jobs", "submit", "--dataset", ADA)
    assert ran.code == 2
    assert told in ran.err
    assert service.bodies("POST /v1/jobs") == []


def test_the_only_base_model_need_not_be_named(adaptwin: Adaptwin, service: FakeService) -> None:
    service.on("GET /v1/base-models", page(_base_model("tiny")))
    assert json.loads(adaptwin("jobs", "submit", "--dataset", ADA, "--json").out)["id"] == "job_1"
    [body] = service.bodies("POST /v1/jobs")
    assert body["base_model"] == "tiny"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ('{"encoder_cut": 0.2}', "the cut is given twice: leave --encoder-cut out"),
        ('{"language": "en"}', "the language is given twice: leave --language out"),
    ],
)
def test_a_setting_is_given_once(settings: str, told: str) -> None:
    with pytest.raises(InvalidSpec, match=told):
        parse_settings(settings, 0.3, "de")


def test_settings_have_their_defaults() -> None:
    spec = parse_settings("{}", None, None)
    assert (spec.language, spec.model_fields_set) == ("en", set())


def test_every_stage_has_a_share_of_the_bar() -> None:
    assert set(STAGE_SHARES) == set(JOB_STAGES)
    assert sum(STAGE_SHARES.values()) == pytest.approx(1.0)


def stage(name: Stage, num_done: int, num_tasks: int, *running: dict[str, int]) -> dict[str, Any]:
    task = {"key": "a", "models": [0], "state": "running", "attempt": 1, "seconds": 1.0, "error": None}
    return {
        "stage": name,
        "num_done": num_done,
        "num_tasks": num_tasks,
        "tasks": [task | {"progress": progress} for progress in running],
    }


def running_job(*stages: dict[str, Any]) -> JobOut:
    return JobOut.model_validate(job(state="running", stages=list(stages)))


def test_a_bar_counts_stages_tasks_and_steps() -> None:
    before = STAGE_SHARES[Stage.VOCABULARY] + STAGE_SHARES[Stage.PERSONALIZE]
    found = progress_of(
        running_job(
            stage(Stage.VOCABULARY, 0, 0),
            stage(Stage.PERSONALIZE, 1, 1),
            stage(Stage.CALIBRATE, 1, 2, {"step": 3, "total": 6}),
            stage(Stage.TUNE, 0, 0),
        )
    )
    assert found.share == pytest.approx(before + 0.75 * STAGE_SHARES[Stage.CALIBRATE])
    assert (found.left_s, found.note) == (None, "calibrate, 1 of 2 tasks done")
    assert progress_of(running_job()) == (0.0, None, "running")


def test_the_time_left_and_the_place_in_the_queue_are_those_of_the_service() -> None:
    waiting = job(state="running", stages=[stage(Stage.TUNE, 0, 1)], queue_position=3)
    found = progress_of(
        JobOut.model_validate(waiting | {"time_left": {"low_s": 60.0, "likely_s": 90.0, "high_s": 200.0}})
    )
    assert (found.left_s, found.note) == (90.0, "tune, 0 of 1 task done, place 3 in the queue")


@pytest.mark.parametrize(("command", "state"), [("pause", "paused"), ("resume", "queued"), ("retry", "queued")])
def test_a_job_is_stopped_and_goes_on(adaptwin: Adaptwin, service: FakeService, command: str, state: str) -> None:
    service.on(f"POST /v1/jobs/job_1/{command}", job(state=state))
    assert adaptwin("jobs", command, "job_1").out == f"job_1 is {state}\n"


def test_an_estimate_is_told_before_a_job_is_submitted(adaptwin: Adaptwin, service: FakeService) -> None:
    span = {"low_s": 100.0, "likely_s": 300.0, "high_s": 620.0}
    work = {"time": span, "alone": span, "stages": [], "memory_bytes": 2_100_000_000, "disk_bytes": 400_000_000}
    size = {"base_model": "a", "encoder_params": 5, "total_params": 37_000, "bytes": 39_000_000, "tokens": 7}
    told = {
        "problems": [],
        "remarks": [],
        "models": [size | {"is_exact": True, "why_not_exact": []}],
        "work": work,
        "workers": 0,
        "rates": "default",
    }
    service.on("POST /v1/estimates", told)
    ran = adaptwin("estimate", "--dataset", ADA, "--base-model", "a")
    assert ran.code == 0
    assert ran.out.splitlines() == [
        "a: 37,000 parameters, 39.0 MB of weights",
        "time: 5 min, between 2 and 10",
        "memory: 2.1 GB for the largest task",
        "disk: 0.4 GB",
        "no worker is there: the job waits until one is started",
    ]
    refusal = {"code": "too_little_speech", "message": "send more speech"}
    service.on("POST /v1/estimates", told | {"problems": [refusal], "work": None})
    ran = adaptwin("estimate", "--dataset", ADA, "--base-model", "a")
    assert (ran.code, ran.out.splitlines()[0]) == (3, "refused: send more speech")
    assert service.bodies("POST /v1/jobs") == []


def _base_model(name: str) -> dict[str, Any]:
    return {"id": name, "shape": SHAPE} | BASE

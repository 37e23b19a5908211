"""How long a job takes: the arithmetic, and its distance from runs that were measured."""

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from adaptwin_core.domain.chores import Chore, chores_of
from adaptwin_core.domain.dataset_report import DatasetReport
from adaptwin_core.domain.estimate import UNMEASURED, Paces, Span, beside, makespan, span_of, task_seconds
from adaptwin_core.domain.footprint import disk_bytes, memory_bytes
from adaptwin_core.domain.shape import ModelShape
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.stage_table import JOB_STAGES
from adaptwin_core.domain.stages import Outline, Stage
from adaptwin_core.domain.work import Heard, JobWork
from bench.runner import Row, results_of
from tests.integration.world import SHAPE
from tests.published_whispers import WHISPERS

DEMO = Path(__file__).parents[3] / "bench" / "results" / "demo.json"
FACTOR = 1.5  # of the seconds that a job then takes

SPEAKER = Heard(train_s=1350.0, valid_s=89.0, test_s=206.0, num_test=49, num_valid=20)
GENERAL = Heard(train_s=720.0, valid_s=0.0, test_s=102.0, num_test=24, num_valid=0)


def model(shape: ModelShape = SHAPE, *, general: Heard | None = GENERAL, num_shards: int = 2, **spec: Any) -> JobWork:
    outline = Outline(CompressionSpec.model_validate(spec), shape, general is not None, num_shards)
    return JobWork(outline, "base", SPEAKER, general)


def seconds(*models: JobWork, num_workers: int = 1) -> float:
    return span_of(((chore.stage, chore.seconds) for chore in chores_of(*models)), Paces({}), num_workers).likely_s


def test_the_demo_took_what_is_estimated() -> None:
    demo = json.loads(DEMO.read_text())
    heard = [
        Heard.of(DatasetReport.model_validate(demo["service_report"]["datasets"][kind]))
        for kind in ("speaker", "general")
    ]
    outline = Outline(CompressionSpec.model_validate(demo["spec"]), WHISPERS["tiny"].with_tokens(51_864), True, 2)
    chores = chores_of(JobWork(outline, "base", *heard))
    span = span_of(((chore.stage, chore.seconds) for chore in chores), Paces({}), 2)
    took_s = demo["phases_s"]["job"]
    assert took_s / FACTOR < span.likely_s < took_s * FACTOR
    assert span.low_s < took_s < span.high_s
    num_tasks = {stage: sum(chore.stage == stage for chore in chores) for stage in demo["stages"]}
    assert num_tasks == {stage: ran["num_tasks"] for stage, ran in demo["stages"].items()}


@pytest.mark.parametrize("row", [row for run in results_of("estimates") for row in run["rows"]])
def test_jobs_that_were_estimated_took_that_time(row: Row) -> None:
    assert row["took_s"] / FACTOR < row["estimated_s"] < row["took_s"] * FACTOR
    assert row["low_s"] < row["took_s"] < row["high_s"]


@pytest.mark.parametrize("steps", ["personal_steps", "tune_steps", "layer_steps"])
def test_more_steps_never_take_less_time(steps: str) -> None:
    took = [seconds(model(**{steps: count})) for count in (1, 2, 10, 100, 1000)]
    assert all(fewer < more for fewer, more in pairwise(took))


@pytest.mark.parametrize(("name", "less", "more"), [("calibration_windows", 12, 24), ("tune_batch", 1, 2)])
def test_more_windows_take_more_time(name: str, less: int, more: int) -> None:
    assert seconds(model(**{name: less})) < seconds(model(**{name: more}))


def test_cutting_the_decoder_too_takes_more_time() -> None:
    assert seconds(model()) < seconds(model(decoder_cut=0.3))


def test_larger_models_take_more_time() -> None:
    took = [seconds(model(WHISPERS[size])) for size in ("tiny", "base", "small", "medium", "large-v3")]
    assert all(smaller < larger for smaller, larger in pairwise(took))


def test_more_workers_never_take_more_time() -> None:
    took = [seconds(model(), num_workers=count) for count in (1, 2, 3, 5, 8, 100)]
    assert all(fewer >= more for fewer, more in pairwise(took))
    assert took[0] > took[1]
    assert took[-1] > 0.3 * took[0]  # a task that is alone in its stage is not shared


def test_a_fuller_queue_never_takes_less_time() -> None:
    own, other = Span(50, 100, 200), Span(500, 1000, 2000)
    alone = beside(own, [], 2)
    assert alone == own
    assert beside(own, [other], 2) == Span(50, 150, 400)  # it waits for no more than its own time
    assert beside(other, [own], 2) == Span(500, 1050, 2200)
    assert beside(own, [other, other], 1).likely_s == 300


def test_the_longest_tasks_come_first() -> None:
    assert makespan([], 2) == 0
    assert makespan([1, 1, 2], 2) == 2
    assert makespan([3, 3, 2, 2, 2], 2) == 7
    assert makespan([5, 1, 1], 3) == 5


def test_models_that_share_are_worked_on_once() -> None:
    small, large = model(encoder_cut=0.45), model(encoder_cut=0.2)
    shared, alone = chores_of(small, large), chores_of(small)

    def by_stage(chores: Sequence[Chore]) -> dict[Stage, int]:
        return {stage: sum(chore.stage is stage for chore in chores) for stage in JOB_STAGES}

    one, both = by_stage(alone), by_stage(shared)
    for stage in (Stage.PERSONALIZE, Stage.CALIBRATE, Stage.WEIGH):
        assert both[stage] == one[stage] > 0
    for stage in (Stage.FACTORIZE, Stage.TUNE, Stage.PUBLISH):
        assert both[stage] == 2 * one[stage] > 0
    assert both[Stage.EVALUATE] == one[Stage.EVALUATE] + 4  # the base model is heard once for both
    assert seconds(small, large) < 0.8 * (seconds(small) + seconds(large))
    assert seconds(small, small) == seconds(small)


def test_what_is_told_once_has_the_places_of_all() -> None:
    first = chores_of(model(encoder_cut=0.45), model(encoder_cut=0.2))[0]
    assert [(place.model, place.stage, place.key) for place in first.places] == [
        (0, Stage.PERSONALIZE, "model"),
        (1, Stage.PERSONALIZE, "model"),
    ]


def test_models_of_other_bases_share_nothing() -> None:
    one = model()
    chores = chores_of(one, replace(one, base="another"))
    assert all(len(chore.places) == 1 for chore in chores)
    assert len(chores) == 2 * len(chores_of(one))


def test_models_that_learn_for_another_time_share_no_later_work() -> None:
    chores = chores_of(model(personal_steps=100), model(personal_steps=200))
    shared = {chore.stage for chore in chores if len(chore.places) == 2}
    assert shared == {Stage.EVALUATE}  # of the base model


def test_measured_tasks_correct_the_estimate() -> None:
    paces = Paces.measured({Stage.TUNE: [2.0, 2.2, 1.8, 2.1, 1.9], Stage.EVALUATE: []})
    assert paces.of(Stage.TUNE).likely == 2.0
    assert paces.of(Stage.TUNE).low < 2.0 < paces.of(Stage.TUNE).high < 2.5
    assert paces.of(Stage.EVALUATE).likely == 2.0  # as much slower as what was measured
    assert paces.of(Stage.EVALUATE).high == 2.0 * UNMEASURED.high
    assert Paces.measured({}).of(Stage.TUNE) == UNMEASURED
    left = [(Stage.TUNE, task_seconds(Stage.TUNE, 1e12))]
    assert span_of(left, paces, 1).likely_s == 2 * span_of(left, Paces({}), 1).likely_s == 2 * left[0][1]


def test_one_slow_task_does_not_change_what_is_likely() -> None:
    assert Paces.measured({Stage.TUNE: [1.0, 1.0, 1.0, 1.0, 40.0]}).of(Stage.TUNE).likely == 1.0


def test_a_few_measured_tasks_leave_a_wide_range() -> None:
    wide, narrow = (Paces.measured({Stage.TUNE: [1.0] * count}).of(Stage.TUNE) for count in (1, 10))
    assert wide.low < narrow.low <= narrow.likely <= narrow.high < wide.high


@pytest.mark.parametrize(("name", "peak_gb"), [("base", 3.71), ("small", 4.87), ("large-v3", 23.95)])
def test_memory_is_near_the_peaks_that_were_measured(name: str, peak_gb: float) -> None:
    found_gb = memory_bytes(model(WHISPERS[name], encoder_cut=0.45)) / 1e9
    assert peak_gb / FACTOR < found_gb < peak_gb * FACTOR


def test_disk_grows_with_what_is_kept() -> None:
    sizes = [disk_bytes(model(**spec)) for spec in ({"encoder_cut": 0.0}, {}, {"decoder_cut": 0.3})]
    assert sizes[0] < sizes[1] < sizes[2]
    assert disk_bytes(model(layer_windows=24)) > disk_bytes(model(layer_windows=12))

"""One job in this process, stage by stage: its time, its memory, and its share of the device's rate.

A stage may be shortened to fit the time that a machine is at hand, and then tells what it did, and how long all of it
would take: fewer steps of training, or fewer blocks, whose results then stand in for those of equal blocks.
"""

import resource
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import torch

from adaptwin_core.domain.shape import BlockId
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.stage_table import JOB_STAGES, row_of
from adaptwin_core.domain.stages import Outline, Stage
from adaptwin_core.domain.task_keys import ModelKey, TaskKey
from adaptwin_core.ml.model.device import device
from adaptwin_core.ml.stages.bodies import work
from adaptwin_core.ml.stages.recipe import BaseModel, Recipe
from adaptwin_core.ml.stages.task_result import TaskResult
from adaptwin_core.speech.corpus import Corpus
from bench.floor import Products, fastest_rates, finish, floor_seconds
from bench.runner import Row, machine

KIB_PER_GB = 1e6 / 1.024  # ru_maxrss counts in KiB on Linux
STEPS = {Stage.PERSONALIZE: "personal_steps", Stage.TUNE: "tune_steps"}

Done = dict[Stage, dict[TaskKey, TaskResult]]


@dataclass(frozen=True)
class Shortening:
    """What a job leaves out.

    Attributes:
        share_of_steps: of personalize and tune; 1 leaves none out.
        block_s: seconds after which a stage with a task for each block takes an equal block's result for the others.
    """

    share_of_steps: float = 1.0
    block_s: float = float("inf")

    def of(self, spec: CompressionSpec) -> CompressionSpec:
        """Return the settings with fewer steps."""
        steps = {name: max(2, round(getattr(spec, name) * self.share_of_steps)) for name in STEPS.values()}
        return spec.model_copy(update=steps) if self.share_of_steps < 1 else spec


@dataclass
class _Steps:
    """When each step of training in a task ended."""

    ends: list[float] = field(default_factory=list)

    def progress(self, _done: int, _total: int, /, **figures: float) -> None:
        if "loss" in figures:
            self.ends.append(time.perf_counter())

    def seconds(self) -> float:
        """Return the time of a step that no check of validation windows falls into."""
        return median(after - before for before, after in pairwise(self.ends))


def timed_job(
    base: BaseModel,
    speaker: Corpus,
    whole: CompressionSpec,
    folder: Path,
    shortening: Shortening,
    tell: Callable[[Row], None],
) -> tuple[Row, Done]:
    """Make a model of one speaker, up to its report.

    Args:
        whole: the settings of the job if nothing were left out, as `submit` gave them.
        folder: an empty one for what lies between the stages.
        tell: is given the row after every stage, so that a job that is stopped has told what it did.
    """
    spec, rates = shortening.of(whole), fastest_rates(device())
    row: Row = {**machine(), "speech_s": round(speaker.seconds), "settings": spec.model_dump(mode="json")}
    row |= {"tflop_per_s": {kind: round(rate / 1e12, 3) for kind, rate in rates.items()}, "stages": {}}
    done: Done = {}
    outline = Outline(spec, base.shape, has_general=False)
    for stage in JOB_STAGES[: JOB_STAGES.index(Stage.PUBLISH) + 1]:
        if not (keys := row_of(stage).keys(outline)):
            done[stage] = {}
            continue
        done[stage], took = _timed_stage(stage, keys, base, spec, speaker, done, folder, shortening, rates)
        if stage in STEPS:
            left_out = getattr(whole, STEPS[stage]) - getattr(spec, STEPS[stage])
            took["whole_s"] = round(took["whole_s"] + left_out * took["step_s"], 2)
        row["stages"][str(stage)] = took
        tell(row)
    row["seconds"], row["whole_s"] = (
        round(sum(took[name] for took in row["stages"].values()), 1) for name in ("seconds", "whole_s")
    )
    return row, done


def _timed_stage(
    stage: Stage,
    keys: Sequence[TaskKey],
    base: BaseModel,
    spec: CompressionSpec,
    speaker: Corpus,
    done: Done,
    folder: Path,
    shortening: Shortening,
    rates: Mapping[str, float],
) -> tuple[dict[TaskKey, TaskResult], Row]:
    """Do the tasks of a stage, and return their results and the stage's figures."""
    results: dict[TaskKey, TaskResult] = {}
    steps, num_copied = _Steps(), 0
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    began = time.perf_counter()
    with Products() as products:
        for index, key in enumerate(keys):
            definition = row_of(stage)
            read = {earlier: done[earlier] for earlier in definition.reads(key)}
            recipe = Recipe(base, definition.sees(spec, key), speaker, None, read)
            twin = _equal_block(recipe, key, results) if time.perf_counter() - began > shortening.block_s else None
            if twin is not None:
                results[key] = results[twin]
                num_copied += 1
                continue
            out = folder / f"{stage}-{index:03d}"
            out.mkdir()
            results[key] = work(stage, recipe, key, out, steps.progress)
    finish(device())
    seconds = time.perf_counter() - began
    num_done = len(keys) - num_copied
    took: Row = {
        "seconds": round(seconds, 2),
        "whole_s": round(seconds * len(keys) / num_done, 2),
        "tasks": num_done,
        "all_tasks": len(keys),
        "tflop": {kind: round(flops / 1e12, 4) for kind, flops in products.flops.items()},
        "share_of_rate": round(floor_seconds(products.flops, rates) / seconds, 4),
        "peak_memory_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB_PER_GB, 2),
    }
    if len(steps.ends) > 1:
        took |= {"steps": len(steps.ends), "step_s": round(steps.seconds(), 4)}
    if torch.cuda.is_available():
        took["peak_gpu_memory_gb"] = round(torch.cuda.max_memory_allocated() / 1e9, 2)
    return results, took


def _equal_block(recipe: Recipe, key: TaskKey, results: Mapping[TaskKey, TaskResult]) -> TaskKey | None:
    """Return a block that is done, of the same kind and, once there is a plan, of the same sizes."""
    if not isinstance(key, BlockId):
        return None
    planned = recipe.plan.blocks if Stage.WEIGH in recipe.results else {}
    for other in results:
        is_alike = isinstance(other, BlockId) and (other.half, other.attention) == (key.half, key.attention)
        if is_alike and planned.get(str(other)) == planned.get(str(key)):
            return other
    return None


def report_of(done: Done) -> Mapping[str, Any]:
    """Return the report of a job that is done."""
    return done[Stage.PUBLISH][ModelKey()].figures

"""One job in this process: its time step by step, its memory, and how near its training is to the device's limit."""

import json
import resource
import tempfile
import time
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from safetensors.torch import load_file

from adaptwin_core.domain.digest import digest_json
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.ml.base.models import Base
from adaptwin_core.ml.model.checkpoint import WEIGHTS_FILE, load_compressed
from adaptwin_core.ml.model.device import device
from adaptwin_core.ml.model.loading import load_whisper
from adaptwin_core.ml.model.modeling_adaptwin import widened
from adaptwin_core.ml.stages.recipe import BaseModel, Recipe
from adaptwin_core.ml.stages.run import run_recipe
from adaptwin_core.ml.stages.training_data import mixture_of
from adaptwin_core.ml.stages.watcher import Watcher
from adaptwin_core.ml.training.finetuning import finetune
from adaptwin_core.ml.training.mixture import Mixture
from adaptwin_core.ml.training.teacher import Teacher
from adaptwin_core.speech.corpus import Corpus
from bench.floor import count_flops, fastest_rate
from bench.runner import Row, machine

NUM_OPERATORS = 10
NUM_TIMED = 4  # steps, after one to warm up
KIB_PER_GB = 1e6 / 1.024  # ru_maxrss counts in KiB on Linux


@dataclass(frozen=True)
class Job:
    """What one job is made of."""

    name: str
    model: str
    speaker: Path
    general: Path | None
    settings: dict[str, Any]


@dataclass
class Clock(Watcher):
    """Seconds of every step, and the most memory that the process and the GPU had held when the step ended."""

    steps: dict[str, dict[str, float]] = field(default_factory=dict)

    def ended(self, step: str, seconds: float) -> None:
        """Add a task. The tasks of one stage count as one step."""
        kind = "read" if step.startswith("read") else step.partition(" ")[0]
        before = self.steps.get(kind, {"seconds": 0.0})["seconds"]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB_PER_GB
        self.steps[kind] = {"seconds": round(before + seconds, 2), "peak_memory_gb": round(peak, 2)}
        if torch.cuda.is_available():
            self.steps[kind]["peak_gpu_memory_gb"] = round(torch.cuda.max_memory_allocated() / 1e9, 2)


def timed_job(job: Job, cache: Path) -> Row:
    """Run a job from folders of speech to a model with its report; return what it took and what came out.

    Raises:
        AssertionError: the stored weights do not hold as many parameters as the plan says.
    """
    spec = CompressionSpec.model_validate(job.settings)
    base = Base.found(job.model, spec.language, cache)
    with tempfile.TemporaryDirectory() as scratch:
        between, model = Path(scratch) / "between", Path(scratch) / "model"
        between.mkdir()
        clock, began = Clock(), time.perf_counter()
        report = run_recipe(
            base, job.speaker, job.general, spec, model, workdir=between, accept_little=True, watcher=clock
        )
        seconds = time.perf_counter() - began
        stored = sum(tensor.numel() for tensor in widened(load_file(model / WEIGHTS_FILE)).values())
        size = report["size"]["compressed"]
        assert stored == size["total_params"], f"{stored:,} numbers are stored, the plan says {size['total_params']:,}"
        one_step = _one_step(Recipe(BaseModel.of(base), spec, Corpus.load(between / "speaker"), None), model)
    errors = [block["error_after"] for block in report["blocks"].values()]
    return {
        "job": job.name,
        **machine(),
        "seconds": round(seconds, 1),
        "steps": clock.steps,
        "one_tuning_step": one_step,
        **size,
        "plan_digest": digest_json(report["plan"]),
        "mean_block_error": fmean(errors) if errors else None,
        "error_rates": {
            kind: {of: heard[of]["error_rate"] for of in ("original", "compressed") if of in heard}
            for kind, heard in report["speech"].items()
        },
        "settings": json.loads(spec.model_dump_json()),
    }


def _one_step(recipe: Recipe, model: Path) -> Row:
    """Time and profile steps of the training after the cut, on one whole window, beside the least they could take."""
    mixture = Mixture(mixture_of(recipe, teacher_knows_speaker=False).speaker[:1], [])
    teacher = Teacher(load_whisper(recipe.base.folder).to(device()), recipe.featurizer)
    teacher.example(mixture.speaker[0])
    ends: list[float] = []

    def on_step(_step: int, _loss: float) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        ends.append(time.perf_counter())

    def steps(count: int) -> None:
        student = load_compressed(model).to(device())
        finetune(student, teacher, mixture, recipe.spec, num_steps=count, on_step=on_step)

    steps(1 + NUM_TIMED)
    seconds = min(after - before for before, after in pairwise(ends))
    # What a run does once cancels in the difference of two runs.
    flops = count_flops(lambda: steps(2)) - count_flops(lambda: steps(1))
    rate = fastest_rate(device())
    with torch.profiler.profile() as profile:
        steps(1)
    on_gpu = torch.cuda.is_available()
    took = {e.key: e.self_device_time_total if on_gpu else e.self_cpu_time_total for e in profile.key_averages()}
    slowest = sorted(took, key=lambda name: -took[name])[:NUM_OPERATORS]
    return {
        "seconds": round(seconds, 3),
        "gflop": round(flops / 1e9, 1),
        "fastest_product_gflop_per_s": round(rate / 1e9, 1),
        "floor_seconds": round(flops / rate, 4),
        "operators": {name: f"{took[name] / max(sum(took.values()), 1e-9):.1%}" for name in slowest},
    }

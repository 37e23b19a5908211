"""Where the time and the memory of one whole job go: `python -m bench.whole_job --speaker FOLDER --general FOLDER`.

The recipe runs in this process, from folders of speech to a model with its report, and every step is timed. Then one
step of the training after the cut, on a whole window, is timed, profiled by operator, and set beside the least it could
take here.
"""

import argparse
import json
import platform
import resource
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.ml.base.models import Base, describe, resolve
from adaptwin_core.ml.model.checkpoint import load_compressed
from adaptwin_core.ml.model.device import device
from adaptwin_core.ml.model.loading import load_whisper
from adaptwin_core.ml.stages import blocks as recipe
from adaptwin_core.ml.stages.recipe import Setting
from adaptwin_core.ml.stages.run import run_recipe
from adaptwin_core.ml.stages.watcher import Watcher
from adaptwin_core.ml.training.finetuning import finetune
from adaptwin_core.ml.training.mixture import Mixture
from adaptwin_core.ml.training.teacher import Teacher
from adaptwin_core.speech.corpus import Corpus
from bench.floor import count_flops, fastest_rate
from bench.speech_setting import speech_options

NUM_OPERATORS = 10
NUM_TIMED = 4  # steps, after one to warm up
KIB_PER_GB = 1e6 / 1.024  # ru_maxrss counts in KiB on Linux


@dataclass
class Clock(Watcher):
    """Seconds of every step, and the most memory that this process had held when it ended."""

    steps: dict[str, dict[str, float]] = field(default_factory=dict)

    def ended(self, step: str, seconds: float) -> None:
        """Add a step; those of all blocks are one."""
        kind = step.split(" ", maxsplit=1)[0] if step.startswith(("weigh", "cut")) else step
        before = self.steps.get(kind, {"seconds": 0.0})["seconds"]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB_PER_GB
        self.steps[kind] = {"seconds": round(before + seconds, 2), "peak_memory_gb": round(peak, 2)}


def main() -> None:
    options = _options()
    console = Console()
    spec = CompressionSpec.model_validate(json.loads(options.settings) | {"encoder_cut": options.cut})
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        model: Path = options.keep or work / "model"
        clock, began = Clock(), time.perf_counter()
        report = run_recipe(
            Base.found(options.model, spec.language, options.cache),
            options.speaker,
            options.general,
            spec,
            model,
            workdir=work,
            watcher=clock,
        )
        seconds = time.perf_counter() - began
        one_step = _one_step(options, spec, work / "speaker", model)
    found = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "model": options.model,
        "speaker": options.speaker.name,
        "general": options.general.name,
        "settings": spec.model_dump(mode="json"),
        "threads": torch.get_num_threads(),
        "machine": platform.machine(),
        "libraries": {name: version(name) for name in ("torch", "transformers", "peft")},
        "seconds": round(seconds, 1),
        "peak_memory_gb": max(row["peak_memory_gb"] for row in clock.steps.values()),
        "steps": clock.steps,
        "one_tuning_step": one_step,
        "speech": {
            kind: {name: heard[name] for name in ("num_clips", "original", "compressed") if name in heard}
            for kind, heard in report["speech"].items()
        },
    }
    options.out.write_text(json.dumps(found, indent=2) + "\n")
    console.print(_table(found))


def _one_step(options: argparse.Namespace, spec: CompressionSpec, speaker: Path, model: Path) -> dict[str, Any]:
    """Time and profile steps of the training after the cut on a whole window that the original has heard before."""
    folder = resolve(options.model, options.cache)
    setting = Setting(folder, describe(folder)[1], spec, Corpus.load(speaker), None)
    mixture = Mixture(recipe.mixture_of(setting).speaker[:1], [])
    teacher = Teacher(load_whisper(folder).to(device()), setting.featurizer())
    teacher.example(mixture.speaker[0])
    ends: list[float] = []

    def steps(count: int) -> None:
        student = load_compressed(model).to(device())
        finetune(
            student,
            teacher,
            mixture,
            spec,
            num_steps=count,
            on_step=lambda _step, _loss: ends.append(time.perf_counter()),
        )

    steps(1 + NUM_TIMED)
    seconds = min(after - before for before, after in pairwise(ends))
    # One step more than the other takes: what a run does once cancels.
    flops = count_flops(lambda: steps(2)) - count_flops(lambda: steps(1))
    rate = fastest_rate(device())
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        steps(1)
    events = sorted(profile.key_averages(), key=lambda event: -event.self_cpu_time_total)
    total = sum(event.self_cpu_time_total for event in events)
    return {
        "seconds": round(seconds, 3),
        "gflop": round(flops / 1e9, 1),
        "fastest_product_gflop_per_s": round(rate / 1e9, 1),
        "floor_seconds": round(flops / rate, 3),
        "operators": {event.key: f"{event.self_cpu_time_total / total:.1%}" for event in events[:NUM_OPERATORS]},
    }


def _options() -> argparse.Namespace:
    parser = speech_options(__doc__)
    parser.add_argument("--cut", type=float, default=0.45)
    parser.add_argument("--keep", type=Path, help="folder to leave the finished model in")
    parser.add_argument("--out", type=Path, default=Path("bench/results/whole-job.json"))
    return parser.parse_args()


def _table(found: dict[str, Any]) -> Table:
    table = Table(title=f"{found['seconds']:.0f} s in all, {found['peak_memory_gb']} GB at most")
    for column in ("step", "seconds", "most memory until then, GB"):
        table.add_column(column)
    for step, row in found["steps"].items():
        table.add_row(step, f"{row['seconds']:.1f}", f"{row['peak_memory_gb']:.2f}")
    return table


if __name__ == "__main__":
    main()

"""The parts of a run, one after the other, each within the time that is left."""

import argparse
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from adaptwin_core.domain.spec import CompressionSpec
from bench.gpu import kit
from bench.gpu.agreement import compared, one_side
from bench.gpu.jobs import job, read_speech
from bench.gpu.made_up import SHAPES, write_model
from bench.gpu.noise import noise_corpus
from bench.gpu.own_process import Device, in_own_process
from bench.gpu.pack import unpack_model
from bench.gpu.timed_job import Shortening
from bench.runner import Row, Run, command_line, machine, parsed

SMALL = {"calibration_windows": 4, "layer_windows": 4, "layer_steps": 4, "personal_steps": 8, "tune_steps": 4}
SMALL_S, SMALL_CLIPS = 180.0, 12  # made-up speech of the small job, and how many clips of it are held out at most
QUICK = {
    "out": Path("var/gpu-quick.json"),
    "shape": "smallest",
    "hours": 0.1,
    "settings": json.dumps(SMALL | {"calibration_windows": 2, "layer_windows": 2}),
    "block_seconds": 0.0,
    "clips": 4,
}
HOW = ("shape", "hours", "clips", "settings", "share_of_steps", "block_seconds")  # options that the figures depend on
NOTHING_LEFT_OUT = Shortening()


@dataclass(frozen=True)
class Real:
    """A real model, and the speech of a real speaker, as the kit brought them."""

    base: Path
    speech: Path


@dataclass(frozen=True)
class Bench:
    """What every part of a run is given: options, device, folder to work in, and when all must be done."""

    options: argparse.Namespace
    here: Device
    work: Path
    real: Real | None
    deadline: float  # on the monotonic clock

    def alone(self, what: Callable[..., None], *arguments: object, device: Device | None = None) -> Row:
        """Return what some work told, done in its own process until the time is up."""
        left = self.deadline - time.monotonic()
        return in_own_process(what, *arguments, device=device or self.here, seconds=left, scratch=self.work)


def main(description: str | None, began: float) -> None:
    """Run all parts. `began`: the monotonic clock when the program began."""
    options = _options(description)
    how = {name: getattr(options, name) for name in HOW}
    run = Run(options.out, how | machine())
    with TemporaryDirectory() as scratch:
        work = Path(scratch)
        real = _unpacked(options.kit, work / "real")
        if real is None:
            run.console.print(f"{options.kit} holds no model with speech: nothing is measured on real speech")
        here: Device = "cuda" if torch.cuda.is_available() else "cpu"
        bench = Bench(options, here, work, real, began + options.seconds)
        parts = {"agreement": _agreement, **({"real speaker": _real_job} if real else {}), "large job": _large}
        for name, part in parts.items():
            if not run.has(part=name):
                part_began = time.monotonic()
                row = part(bench)
                run.add({"part": name} | row | {"wall_s": round(time.monotonic() - part_began, 1)})


def _unpacked(folder: Path, work: Path) -> Real | None:
    if not (folder / kit.MODEL).exists() or not (folder / kit.SPEECH).exists():
        return None
    base = unpack_model(folder / kit.MODEL, work / "base")
    return Real(base, read_speech(folder / kit.SPEECH, work / "speech").folder)


def _agreement(bench: Bench) -> Row:
    """Compare this device with the CPU; where there is no GPU, the CPU with itself, which shows that all runs."""
    base, spec = bench.work / "small" / "base", CompressionSpec.model_validate(SMALL)
    write_model("smallest", base)
    num_clips = min(SMALL_CLIPS, bench.options.clips)
    speech = noise_corpus(bench.work / "small" / "speech", SMALL_S, num_held_out=num_clips).folder
    real = (bench.real.base, bench.real.speech) if bench.real is not None else None
    return compared(*(bench.alone(one_side, base, speech, spec, real, device=device) for device in (bench.here, "cpu")))


def _real_job(bench: Bench) -> Row:
    assert bench.real is not None
    spec = CompressionSpec.model_validate_json(bench.options.settings)
    return bench.alone(job, bench.real.base, bench.real.speech, spec, NOTHING_LEFT_OUT)


def _large(bench: Bench) -> Row:
    options, folder = bench.options, bench.work / "large"
    write_model(options.shape, folder / "base")
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    speech = noise_corpus(folder / "speech", options.hours * 3600, num_held_out=options.clips).folder
    spec = CompressionSpec.model_validate_json(options.settings)
    shortening = Shortening(options.share_of_steps, options.block_seconds)
    row = bench.alone(job, folder / "base", speech, spec, shortening)
    shutil.rmtree(folder)
    return {"shape": options.shape} | row


def _options(description: str | None) -> argparse.Namespace:
    parser = command_line(description, "gpu")
    parser.add_argument("--kit", type=Path, default=kit.FOLDER, help="what `python -m bench.gpu.pack` wrote")
    parser.add_argument("--seconds", type=float, default=460.0, help="when all is stopped; rows until then are kept")
    parser.add_argument("--shape", choices=SHAPES, default="whisper-large-v3", help="shape of the large model")
    parser.add_argument("--hours", type=float, default=8.0, help="made-up speech for the large model")
    parser.add_argument("--clips", type=int, default=32, help="held-out clips of the made-up speech")
    parser.add_argument("--settings", default="{}", help="settings of both timed jobs, as JSON")
    parser.add_argument("--share-of-steps", type=float, default=0.25, help="training steps that the large job does")
    parser.add_argument(
        "--block-seconds", type=float, default=45.0, help="after this long, equal blocks of the large job are not done"
    )
    return parsed(parser, QUICK)

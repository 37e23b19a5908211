"""Whole jobs on the device at hand, a GPU where there is one: `python -m bench.gpu`.

By default the models have the full shapes of Whisper and random weights, and the speech is made-up noise, so nothing is
downloaded. Such a job shows that every step runs on the device, what it takes, and that the stored weights hold exactly
what the plan says; its word error rates mean nothing. With `--devices cpu cuda` the same job runs on both, and the rows
show whether plan and errors agree. `--speaker`, `--general` and `--model` add a job of a real model on real speech.

The machine needs torch, transformers, peft, pydantic, jiwer, soundfile and soxr, but nothing of the service. Without
this project's base models it needs `--tokenizer`, too: a folder with the tokenizer files of a Whisper.
"""

import argparse
import csv
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import soundfile
import torch
from transformers import WhisperForConditionalGeneration

from adaptwin_core.domain.audio import SAMPLE_RATE_HZ, samples_of
from adaptwin_core.ml.base.models import resolve
from adaptwin_core.ml.base.whisper_files import SIDECARS
from bench.runner import Run, command_line, parsed
from bench.sizes import SHAPES, Shape, config_of
from bench.timed_job import Job, timed_job

SMALLEST = "random-tiny.en"
ALL_SHAPES = SHAPES | {SMALLEST: Shape(64, 2, 2, 1, 51864)}
SENTENCES = Path(__file__).parent / "demo" / "sentences.txt"
NUM_CLIPS = {"train": 6, "valid": 2, "test": 2}
WORD_S = 0.3
ENDING = 500  # how much the end of the text outweighs every other word
SHORT = {
    "calibration_windows": 1,
    "personal_steps": 2,
    "layer_windows": 1,
    "layer_steps": 2,
    "tune_steps": 2,
    "scale_steps": 2,
    "encoder_cut": 0.45,
}
QUICK = {"out": Path("var/gpu-quick.json"), "shapes": [SMALLEST]}


def main() -> None:
    options = _options()
    run = Run(options.out, {"settings": options.settings})
    with tempfile.TemporaryDirectory() as scratch:
        for job in _jobs(options, Path(scratch)):
            for name in options.devices:
                if not run.has(job=job.name, asked_device=name):
                    run.add({"asked_device": name} | in_own_process(job, options.cache, name))


def in_own_process(job: Job, cache: Path, name: str) -> dict[str, object]:
    """Run a job in a process of its own, so that its peak of memory is its own; "cpu" hides the GPUs from it."""
    with ProcessPoolExecutor(1, get_context("spawn"), initializer=_choose_device, initargs=(name,)) as pool:
        return pool.submit(timed_job, job, cache).result()


def _choose_device(name: str) -> None:
    if name == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    elif not torch.cuda.is_available():
        raise SystemExit("torch finds no GPU here: leave out --devices cuda")


def _jobs(options: argparse.Namespace, work: Path) -> Iterator[Job]:
    given = json.loads(options.settings)
    if options.speaker:
        yield Job(options.model, options.model, options.speaker, options.general, {"encoder_cut": 0.45} | given)
    speech = _made_up_speech(work / "speech")
    for name in options.shapes:
        base = work / "base"
        _random_model(name, options.tokenizer, options.cache, base)
        yield Job(f"{name}, random weights", f"folder:{base}", speech, None, SHORT | given)
        shutil.rmtree(base)


def _random_model(name: str, tokenizer: Path | None, cache: Path, folder: Path) -> None:
    """Write a model of that shape with random weights, and the tokenizer files of a real one beside it."""
    real = tokenizer or resolve("package:whisper-tiny.en" if name.endswith(".en") else "package:whisper-base", cache)
    config = config_of(ALL_SHAPES[name])
    torch.manual_seed(0)
    model = WhisperForConditionalGeneration(config)
    end = json.loads((real / "generation_config.json").read_text())["eos_token_id"]
    with torch.no_grad():  # random words would go on to the longest text that a model may write
        model.model.decoder.layer_norm.bias += ENDING * model.model.decoder.embed_tokens.weight[end]
    model.half().save_pretrained(folder, max_shard_size="100GB")
    for sidecar in SIDECARS:
        if (real / sidecar).exists():
            shutil.copyfile(real / sidecar, folder / sidecar)
    extractor = json.loads((real / "preprocessor_config.json").read_text())
    (folder / "preprocessor_config.json").write_text(json.dumps(extractor | {"feature_size": config.num_mel_bins}))


def _made_up_speech(folder: Path) -> Path:
    """Write clips with a burst of noise for each word of a sentence, and their transcripts."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    sentences = iter(SENTENCES.read_text("utf-8").splitlines())
    with (folder / "metadata.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file_name", "transcription", "split"])
        for split, count in NUM_CLIPS.items():
            for index in range(count):
                text, name = next(sentences), f"{split}{index}.flac"
                shape = len(text.split()), samples_of(WORD_S)
                loudness = np.hanning(shape[1]) * rng.uniform(0.05, 0.2, (shape[0], 1))
                soundfile.write(folder / name, (loudness * rng.standard_normal(shape)).ravel(), SAMPLE_RATE_HZ)
                table.writerow([name, text, split])
    return folder


def _options() -> argparse.Namespace:
    here = ["cuda"] if torch.cuda.is_available() else ["cpu"]
    parser = command_line(__doc__, "gpu")
    parser.add_argument("--shapes", choices=ALL_SHAPES, nargs="*", default=["whisper-tiny", "whisper-small"])
    parser.add_argument("--devices", choices=("cpu", "cuda"), nargs="+", default=here)
    parser.add_argument("--settings", default="{}", help="settings of every job, as JSON")
    parser.add_argument("--tokenizer", type=Path, help="folder with the tokenizer files of a Whisper")
    parser.add_argument("--speaker", type=Path, help="folder of one speaker's speech, for a real job")
    parser.add_argument("--general", type=Path, help="folder of other speakers")
    parser.add_argument("--model", default="package:whisper-base", help="the base model of the real job")
    return parsed(parser, QUICK)


if __name__ == "__main__":
    main()

"""Every step at the full shape of a larger Whisper, with random weights: `python -m bench.full_shapes whisper-small`.

It shows that the recipe runs at that size, what it takes, and that the published weights hold exactly what the plan
says. Nothing is said of hearing: random weights hear nothing. One window of each thing and few steps: seconds are of
the fixed costs of a size, not of a real job.
"""

import argparse
import csv
import json
import shutil
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import soundfile
import torch
from rich.console import Console
from safetensors.torch import load_file
from transformers import WhisperForConditionalGeneration

from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.ml.base.models import Base, resolve
from adaptwin_core.ml.base.whisper_files import SIDECARS
from adaptwin_core.ml.model.modeling_adaptwin import widened
from adaptwin_core.ml.stages.run import run_recipe
from bench.demo import settings
from bench.demo.espeak import espeak
from bench.demo.speech import speaker_sentences
from bench.sizes import SHAPES, config_of
from bench.whole_job import Clock

NUM_CLIPS = {"train": 6, "valid": 2, "test": 2}
SHORT = {
    "calibration_windows": 1,
    "personal_steps": 2,
    "layer_windows": 1,
    "layer_steps": 2,
    "tune_steps": 2,
    "scale_steps": 2,
    "encoder_cut": 0.45,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("--settings", default="{}", help="settings of the job, as JSON")
    parser.add_argument("--cache", type=Path, default=Path("var/models"))
    parser.add_argument("--out", type=Path, default=Path("bench/results/full-shapes.json"))
    options = parser.parse_args()
    spec = CompressionSpec.model_validate(SHORT | json.loads(options.settings))
    rows: dict[str, Any] = json.loads(options.out.read_text()) if options.out.exists() else {}
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        # In a process of its own: the most memory that is told is the recipe's.
        maker = get_context("spawn").Process(target=_random_model, args=(options.shape, options.cache, work / "base"))
        maker.start()
        maker.join()
        rows[options.shape] = _run(work / "base", spec, options.cache, work)
    Console().print(options.shape, rows[options.shape])
    options.out.write_text(json.dumps(rows, indent=2) + "\n")


def _run(base: Path, spec: CompressionSpec, cache: Path, work: Path) -> dict[str, Any]:
    speech = _speech(work / "speech")
    (work / "between").mkdir()
    clock, began = Clock(), time.perf_counter()
    report = run_recipe(
        Base.found(str(base), spec.language, cache),
        speech,
        None,
        spec,
        work / "out",
        workdir=work / "between",
        accept_little=True,
        watcher=clock,
    )
    size = report["size"]["compressed"]
    held = sum(tensor.numel() for tensor in widened(load_file(work / "out" / "model.safetensors")).values())
    assert held == size["total_params"], f"{held:,} numbers are stored where the plan says {size['total_params']:,}"
    return {
        "encoder_cut": round(report["plan"]["encoder_cut"], 4),
        **size,
        "seconds": round(time.perf_counter() - began, 1),
        "peak_memory_gb": max(row["peak_memory_gb"] for row in clock.steps.values()),
        "steps": {step: row["seconds"] for step, row in clock.steps.items()},
        "settings": spec.model_dump(mode="json", include=set(SHORT) | {"plan", "weights"}),
        "threads": torch.get_num_threads(),
    }


def _random_model(name: str, cache: Path, folder: Path) -> None:
    """Write a model of that shape with random weights, and the files of a real one beside it."""
    real = resolve("package:whisper-tiny.en" if name.endswith(".en") else "package:whisper-base", cache)
    config = config_of(SHAPES[name])
    torch.manual_seed(0)
    WhisperForConditionalGeneration(config).half().save_pretrained(folder, max_shard_size="100GB")
    for sidecar in SIDECARS:
        if (real / sidecar).exists():
            shutil.copyfile(real / sidecar, folder / sidecar)
    extractor = json.loads((real / "preprocessor_config.json").read_text())
    (folder / "preprocessor_config.json").write_text(json.dumps(extractor | {"feature_size": config.num_mel_bins}))


def _speech(folder: Path) -> Path:
    folder.mkdir()
    texts = iter(speaker_sentences())
    with (
        espeak(settings.SPEAKER_VOICE, words_per_minute=settings.SPEAKER_WORDS_PER_MINUTE) as speak,
        (folder / "metadata.csv").open("w", newline="") as file,
    ):
        table = csv.writer(file)
        table.writerow(["file_name", "transcription", "split"])
        for split, count in NUM_CLIPS.items():
            for index in range(count):
                text = next(texts).text
                soundfile.write(folder / f"{split}{index}.flac", speak(text), speak.rate_hz)
                table.writerow([f"{split}{index}.flac", text, split])
    return folder


if __name__ == "__main__":
    main()

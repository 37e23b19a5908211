"""Every form of a finished model in its runtime, beside the stock Whisper in the same runtime and form:
`python -m bench.runtimes --model FOLDER --speech FOLDER`.

Both go through the same exporters. Each row has bytes, seconds of compute for a second of audio, peak memory, and the
word error rate on the same held-out clips.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

from adaptwin_core.domain.exports import CHECKPOINT, FORMATS
from adaptwin_core.ml.base.models import describe
from adaptwin_core.ml.evaluation.manifest import read_manifest
from adaptwin_core.ml.exports import formats
from adaptwin_core.ml.model.quiet import quiet_transformers
from adaptwin_core.speech.files.sources import read_folder
from adaptwin_core.speech.ingest import build_corpus
from adaptwin_core.speech.limits import Limits
from bench.finished import OURS, STOCK, finished_command_line, save_original
from bench.runner import Run, machine, parsed
from bench.runtimes.encoder_speed import encoder_speed

QUICK = {"out": Path("var/runtimes-quick.json"), "clips": 2, "forms": (CHECKPOINT, "ct2-int8")}


def main() -> None:
    options = _options()
    quiet_transformers()
    manifest = read_manifest(options.model)
    language = manifest["settings"]["language"]
    how = {"model": manifest["base_model"]["model"], "settings": manifest["settings"], "clips": options.clips}
    run = Run(options.out, how | {"speech": options.speech.name} | machine())
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        build_corpus(read_folder(options.speech), work / "speech", Limits())
        models = {STOCK: work / "stock", OURS: options.model}
        base = save_original(manifest, options.base, options.cache, models[STOCK])
        for form in options.forms:
            if run.has(form=form, model=OURS):
                continue
            folders = {name: work / name / form for name in models} if form != CHECKPOINT else models
            rows = {}
            for name, checkpoint in models.items():
                written = [] if form == CHECKPOINT else formats.write(form, checkpoint, folders[name])
                heard = _heard(form, folders[name], work / "speech", options.clips, language)
                rows[name] = {"form": form, "model": name, "bytes": _bytes(folders[name], written), **heard}
            if form.startswith("ct2"):
                mels = describe(base)[1].num_mel_bins
                for name, speed in encoder_speed(folders, mels, torch.get_num_threads()).items():
                    rows[name]["encoder"] = speed
            for row in rows.values():
                run.add(row)


def _heard(form: str, folder: Path, corpus: Path, num_clips: int, language: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.runtimes.child", form, str(folder), str(corpus)]
    command += [str(num_clips), language, str(torch.get_num_threads())]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def _bytes(folder: Path, written: list[str]) -> int:
    """Return the bytes of an export's files, or of a checkpoint's weights."""
    files = [folder / name for name in written] or list(folder.glob("*.safetensors"))
    return sum(path.stat().st_size for path in files)


def _options() -> argparse.Namespace:
    parser = finished_command_line(__doc__, "runtimes")
    parser.add_argument("--clips", type=int, default=20)
    every = (CHECKPOINT, *FORMATS)
    parser.add_argument("--forms", nargs="+", choices=every, default=every, help="which to hear; by default every one")
    return parsed(parser, QUICK)


if __name__ == "__main__":
    main()

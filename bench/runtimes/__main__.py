"""Every form of a finished model in its runtime, beside the stock Whisper in the same runtime and form:
`python -m bench.runtimes --model FOLDER --speech FOLDER`.

Both go through the same exporters; the stock one is the original with nothing cut. Bytes, seconds of compute for each
second of audio, peak memory, word error rate on the same held-out clips.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from adaptwin_core.domain.exports import CHECKPOINT, FORMATS
from adaptwin_core.ml.base.models import describe
from adaptwin_core.ml.evaluation.manifest import read_manifest
from adaptwin_core.ml.exports import formats
from adaptwin_core.ml.stages.recipe import quiet_transformers
from adaptwin_core.speech.files.sources import read_folder
from adaptwin_core.speech.ingest import build_corpus
from adaptwin_core.speech.limits import Limits
from bench.finished import finished_options, save_original
from bench.runtimes.encoder_speed import encoder_speed

LIBRARIES = ("torch", "transformers", "ctranslate2", "onnxruntime", "sherpa-onnx", "pywhispercpp")
STOCK, OURS = "stock", "ours"


def main() -> None:
    parser = finished_options(__doc__, clips=20, out="runtimes")
    every = (CHECKPOINT, *FORMATS)
    parser.add_argument("--forms", nargs="+", choices=every, default=every, help="which to hear; by default every one")
    options = parser.parse_args()
    quiet_transformers()
    console = Console()
    manifest = read_manifest(options.model)
    threads = torch.get_num_threads()
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        build_corpus(read_folder(options.speech), work / "speech", Limits())
        models = {STOCK: work / "stock", OURS: options.model}
        base = save_original(manifest, options.base, options.cache, models[STOCK])
        rows: list[dict[str, Any]] = []
        for form in options.forms:
            folders = {}
            for name, checkpoint in models.items():
                folders[name] = checkpoint if form == CHECKPOINT else work / name / form
                written = [] if form == CHECKPOINT else formats.write(form, checkpoint, folders[name])
                found = _heard(form, folders[name], work / "speech", options, manifest["settings"]["language"], threads)
                rows.append({"form": form, "model": name, "bytes": _bytes(folders[name], written), **found})
                console.print("  ".join(str(value) for value in rows[-1].values()))
            if form.startswith("ct2"):
                speed = encoder_speed(folders, describe(base)[1].num_mel_bins, threads)
                for row in rows[-2:]:
                    row["encoder"] = speed[row["model"]]
    how = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "model": manifest["base_model"]["model"],
        "settings": manifest["settings"],
        "speech": options.speech.name,
        "clips": options.clips,
        "threads": threads,
        "libraries": {name: version(name) for name in LIBRARIES},
        "decoding": "greedy, no timestamps, one clip a window, each form in a process of its own",
    }
    options.out.write_text(json.dumps({"how": how, "rows": rows}, indent=2) + "\n")


def _heard(
    form: str, folder: Path, corpus: Path, options: argparse.Namespace, language: str, threads: int
) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.runtimes.child", form, str(folder), str(corpus)]
    done = subprocess.run(
        [*command, str(options.clips), language, str(threads)], stdout=subprocess.PIPE, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def _bytes(folder: Path, written: list[str]) -> int:
    """Return the bytes of an export's files, or of a checkpoint's weights."""
    files = [folder / name for name in written] or list(folder.glob("*.safetensors"))
    return sum(path.stat().st_size for path in files)


if __name__ == "__main__":
    main()

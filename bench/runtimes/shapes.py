"""Which sizes make CTranslate2's int8 encoder fast: `python -m bench.runtimes.shapes`.

Whisper base with the same sizes in every encoder layer, weights random where they are cut: only sizes make a speed. All
are timed turn by turn in one process.
"""

import argparse
import json
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from adaptwin_core.domain.plan import BlockPlan, RankPlan, blocks_of
from adaptwin_core.ml.adapter import load_whisper
from adaptwin_core.ml.assemble import empty_model
from adaptwin_core.ml.base_models import describe, resolve
from adaptwin_core.ml.exports.ct2 import write_ctranslate2
from adaptwin_core.ml.setting import quiet_transformers
from bench.runtimes.encoder_speed import encoder_speed

HEAD_SIZES = (64, 48, 32, 24)
NEURONS = (2048, 1280, 1024, 768)


def main() -> None:
    options = _options()
    quiet_transformers()
    folder = resolve(options.model, options.cache)
    shape, threads = describe(folder)[1], torch.get_num_threads()
    plans: dict[str, RankPlan] = {}
    for head in HEAD_SIZES:
        for neurons in NEURONS:
            block = BlockPlan(
                qk=head if head < shape.head_size("encoder") else None,
                vo=head if head < shape.head_size("encoder") else None,
                neurons=neurons if neurons < shape.ffn("encoder") else None,
            )
            blocks = {} if block.is_whole else {str(one): block for one in blocks_of(shape, "encoder")}
            plans[f"{head}/{neurons}"] = RankPlan(blocks=blocks)
    with tempfile.TemporaryDirectory() as scratch:
        folders = {name: Path(scratch) / name.replace("/", "-") for name in plans}
        for name, plan in plans.items():
            write_ctranslate2(empty_model(load_whisper(folder), plan).eval(), folder, folders[name], weights="int8")
        speed = encoder_speed(folders, shape.num_mel_bins, threads)
    whole = speed[next(iter(plans))]
    rows: list[dict[str, Any]] = [
        {
            "head_size": int(name.split("/")[0]),
            "neurons": int(name.split("/")[1]),
            "encoder_cut": round(1 - plan.encoder_params(shape) / shape.encoder_params, 4),
            **speed[name],
            "times_as_fast": round(whole["median_s"] / speed[name]["median_s"], 3),
        }
        for name, plan in plans.items()
    ]
    how = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "model": options.model,
        "threads": threads,
        "what": "CTranslate2 int8 encoder, one window of 30 s, turn by turn in one process, median and least",
        "libraries": {name: version(name) for name in ("ctranslate2", "torch")},
    }
    options.out.write_text(json.dumps({"how": how, "rows": rows}, indent=2) + "\n")
    for row in rows:
        Console().print(*row.values())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="package:whisper-base")
    parser.add_argument("--cache", type=Path, default=Path("var/models"))
    parser.add_argument("--out", type=Path, default=Path("bench/results/ct2-shapes.json"))
    return parser.parse_args()


if __name__ == "__main__":
    main()

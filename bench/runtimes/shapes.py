"""Which sizes make CTranslate2's int8 encoder fast: `python -m bench.runtimes.shapes`.

Whisper base with the same sizes in every encoder layer, weights random where they are cut: only sizes make a speed. All
are timed turn by turn in one process. From the least times follows what an attention score costs beside its
multiplications, which `plan_for: ctranslate2` reckons with (`SCORE_COST`).
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console

from adaptwin_core.domain.plan import BlockPlan, RankPlan, block_work
from adaptwin_core.domain.shape import ModelShape, blocks_of
from adaptwin_core.ml.base.models import describe, resolve
from adaptwin_core.ml.exports.ct2 import write_ctranslate2
from adaptwin_core.ml.model.checkpoint import empty_model
from adaptwin_core.ml.model.loading import load_whisper
from adaptwin_core.ml.stages.recipe import quiet_transformers
from bench.runtimes.encoder_speed import encoder_speed

SHARES = (1.0, 0.75, 0.5)  # kept of the heads, and of the columns of each
NEURON_SHARES = (1.0, 0.5)


def main() -> None:
    options = _options()
    quiet_transformers()
    folder = resolve(options.model, options.cache)
    shape, threads = describe(folder)[1], torch.get_num_threads()
    whole = (shape.encoder_heads, shape.head_size("encoder"), shape.encoder_ffn)
    plans: dict[str, RankPlan] = {}
    for shares in product(SHARES, SHARES, NEURON_SHARES):
        sizes = [int(share * full) for share, full in zip(shares, whole, strict=True)]
        heads, size, neurons = (None if kept == full else kept for kept, full in zip(sizes, whole, strict=True))
        block = BlockPlan(heads=heads, qk=size, vo=size, neurons=neurons)
        blocks = {} if block.is_whole else {str(one): block for one in blocks_of(shape, "encoder")}
        plans["/".join(map(str, sizes))] = RankPlan(blocks=blocks)
    with tempfile.TemporaryDirectory() as scratch:
        folders = {name: Path(scratch) / name.replace("/", "-") for name in plans}
        for name, plan in plans.items():
            write_ctranslate2(empty_model(load_whisper(folder), plan).eval(), folder, folders[name], weights="int8")
        speed = encoder_speed(folders, shape.num_mel_bins, threads)
    whole_s = speed[next(iter(plans))]["median_s"]
    rows: list[dict[str, Any]] = [
        {
            **dict(zip(("heads", "head_size", "neurons"), map(int, name.split("/")), strict=True)),
            "encoder_cut": round(1 - plan.encoder_params(shape) / shape.encoder_params, 4),
            **speed[name],
            "times_as_fast": round(whole_s / speed[name]["median_s"], 3),
        }
        for name, plan in plans.items()
    ]
    how = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "model": options.model,
        "threads": threads,
        "what": "CTranslate2 int8 encoder, one window of 30 s, turn by turn in one process, median and least",
        "libraries": {name: version(name) for name in ("ctranslate2", "torch")},
        "score_cost": round(_score_cost(shape, list(plans.values()), [row["least_s"] for row in rows])),
    }
    options.out.write_text(json.dumps({"how": how, "rows": rows}, indent=2) + "\n")
    for row in rows:
        Console().print(*row.values())


def _score_cost(shape: ModelShape, plans: Sequence[RankPlan], seconds: Sequence[float]) -> float:
    """Return how many multiplications take as long as what is left of one score, by least squares over all sizes."""
    blocks = blocks_of(shape, "encoder")
    terms = []
    for plan in plans:
        kept = [plan.blocks.get(str(block), BlockPlan()) for block in blocks]
        plain, with_scores = (
            sum(block_work(shape, block, one, cost) for block, one in zip(blocks, kept, strict=True)) for cost in (0, 1)
        )
        terms.append([plain, with_scores - plain, 1.0])
    per_multiplication, per_score, _ = np.linalg.lstsq(np.array(terms), np.array(seconds))[0]
    return float(per_score / per_multiplication)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="package:whisper-base")
    parser.add_argument("--cache", type=Path, default=Path("var/models"))
    parser.add_argument("--out", type=Path, default=Path("bench/results/ct2-shapes.json"))
    return parser.parse_args()


if __name__ == "__main__":
    main()

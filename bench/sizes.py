"""Exact sizes of every Whisper and Distil-Whisper at three cuts: `python -m bench.sizes`.

Models are built at full shape without memory for their weights, and counted. The uniform plan is shown, since a
measured one waits for speech; it removes as much, to within one step of its sizes.
"""

import argparse
import json
from pathlib import Path
from typing import Any, NamedTuple

import torch
from transformers import WhisperConfig, WhisperForConditionalGeneration

from adaptwin_core.domain.planner import make_plan
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.ml.model.adapter import count_params, shape_of
from adaptwin_core.ml.model.checkpoint import empty_model
from adaptwin_core.ml.model.quantization import STORED, round_to

CUTS = (0.2, 0.35, 0.45)


class Shape(NamedTuple):
    """The numbers in which the published models differ."""

    width: int
    heads: int
    layers: int
    decoder_layers: int
    vocab: int = 51865
    mels: int = 80


SHAPES = {
    "whisper-tiny": Shape(384, 6, 4, 4),
    "whisper-base": Shape(512, 8, 6, 6),
    "whisper-small": Shape(768, 12, 12, 12),
    "whisper-medium": Shape(1024, 16, 24, 24),
    "whisper-large-v2": Shape(1280, 20, 32, 32),
    "whisper-large-v3": Shape(1280, 20, 32, 32, 51866, 128),
    "whisper-large-v3-turbo": Shape(1280, 20, 32, 4, 51866, 128),
    "distil-small.en": Shape(768, 12, 12, 4, 51864),
    "distil-medium.en": Shape(1024, 16, 24, 2, 51864),
    "distil-large-v2": Shape(1280, 20, 32, 2),
    "distil-large-v3": Shape(1280, 20, 32, 2, 51866, 128),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("bench/results/sizes.json"))
    parser.add_argument("--table", type=Path, default=Path("docs/sizes.md"))
    options = parser.parse_args()
    rows = [row for name, shape in SHAPES.items() for row in _rows(name, shape)]
    options.out.write_text(json.dumps(rows, indent=2) + "\n")
    options.table.write_text(_table(rows))
    print(options.table.read_text())


def config_of(shape: Shape) -> WhisperConfig:
    return WhisperConfig(
        d_model=shape.width,
        encoder_layers=shape.layers,
        decoder_layers=shape.decoder_layers,
        encoder_attention_heads=shape.heads,
        decoder_attention_heads=shape.heads,
        encoder_ffn_dim=4 * shape.width,
        decoder_ffn_dim=4 * shape.width,
        vocab_size=shape.vocab,
        num_mel_bins=shape.mels,
    )


def _rows(name: str, shape: Shape) -> list[dict[str, Any]]:
    with torch.device("meta"):
        original = WhisperForConditionalGeneration(config_of(shape))
        found = [{"model": name, "cut": 0.0, **_sizes(original)}]
        for cut in CUTS:
            plan = make_plan(CompressionSpec(encoder_cut=cut, plan="uniform"), shape_of(original.config))
            found.append({"model": name, "cut": cut, **_sizes(empty_model(original, plan))})
    return found


def _sizes(model: Any) -> dict[str, int]:
    return {
        "encoder_params": count_params(model, "encoder"),
        "total_params": model.num_parameters(),
        **{f"{weights}_bytes": round_to(model, weights) for weights in STORED},
    }


def _table(rows: list[dict[str, Any]]) -> str:
    lines = [
        "# Sizes",
        "",
        "Made by `python -m bench.sizes`: every model built at full shape and counted; encoder cut, uniform plan.",
        "The encoder is counted without its fixed positions, as the literature does; the whole model with them.",
        "",
        "| model | encoder cut | encoder, M | whole model, M | whole model cut | float16, MB | int8, MB | int4, MB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    whole = {row["model"]: row["total_params"] for row in rows if row["cut"] == 0}
    for row in rows:
        cut = 1 - row["total_params"] / whole[row["model"]]
        sizes = [f"{row[key] / 1e6:,.2f}" for key in ("encoder_params", "total_params")]
        weights = [f"{row[key] / 1e6:,.1f}" for key in (f"{name}_bytes" for name in STORED)]
        cells = [row["model"], f"{row['cut']:.0%}", *sizes, f"{cut:.1%}", *weights]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()

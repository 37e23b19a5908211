"""The exact size of every Whisper and Distil-Whisper, whole and at three cuts of the encoder: `python -m bench.sizes`.

Models are built at full shape without memory for their weights, and counted. The plan is the uniform one, since a
measured one needs speech; it removes as much, to within one step of its sizes.
"""

from typing import Any, NamedTuple

import torch
from transformers import WhisperConfig, WhisperForConditionalGeneration

from adaptwin_core.domain.planner import make_plan
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.ml.model.adapter import count_params, shape_of
from adaptwin_core.ml.model.checkpoint import empty_model
from adaptwin_core.ml.model.quantization import STORED, round_to
from bench.markdown import markdown_table
from bench.runner import Row, Run, command_line, results_of

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
    options = command_line(__doc__, "sizes").parse_args()
    run = Run(options.out, {"plan": "uniform", "cuts": CUTS})
    for name, shape in SHAPES.items():
        if not run.has(model=name):
            for row in _rows(name, shape):
                run.add(row)


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


def table() -> str:
    """Return a row a model: the sizes of the whole one, and the bytes in 8 bits at each cut."""
    (run,) = results_of("sizes")
    sizes = {(row["model"], row["cut"]): row for row in run["rows"]}
    columns = ["model", "encoder, M", "all, M", "float16, MB", "int8, MB", "int4, MB"]
    lines = []
    for name in SHAPES:
        whole = sizes[name, 0.0]
        counts = [f"{whole[key] / 1e6:,.1f}" for key in ("encoder_params", "total_params")]
        in_mb = [f"{whole[f'{weights}_bytes'] / 1e6:,.0f}" for weights in STORED]
        lines.append([name, *counts, *in_mb, *(f"{sizes[name, cut]['int8_bytes'] / 1e6:,.0f}" for cut in CUTS)])
    return markdown_table([*columns, *(f"int8, encoder -{cut:.0%}" for cut in CUTS)], lines)


def _rows(name: str, shape: Shape) -> list[Row]:
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


if __name__ == "__main__":
    main()

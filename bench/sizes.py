"""The exact size of every Whisper and Distil-Whisper: `python -m bench.sizes`.

Models are built at full shape without memory for their weights, and counted: whole, at three cuts of the encoder, and
the multilingual ones with the tokens of ten languages. The plan is the uniform one, since a measured one needs speech;
it removes as much, to within one step of its sizes. Tokens are those that a job keeps whose transcripts need no others.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from transformers import WhisperConfig, WhisperForConditionalGeneration

from adaptwin_core.domain.languages import named
from adaptwin_core.domain.planner import make_plan
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.vocabulary import smallest_shape
from adaptwin_core.ml.model.adapter import count_params, shape_of
from adaptwin_core.ml.model.checkpoint import empty_model
from adaptwin_core.ml.model.quantization import STORED, round_to
from adaptwin_core.ml.model.quiet import quiet_transformers
from bench.markdown import markdown_table
from bench.runner import Row, Run, command_line, results_of

CUTS = (0.2, 0.35, 0.45)
LANGUAGES = ("en", "de", "es", "fr", "nl", "ru", "hi", "ja", "zh", "ar")
ALL = "all"  # stands for the languages of a model that keeps every token


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


MULTILINGUAL = (
    "whisper-tiny",
    "whisper-base",
    "whisper-small",
    "whisper-medium",
    "whisper-large-v3",
    "whisper-large-v3-turbo",
)


def main() -> None:
    options = command_line(__doc__, "sizes").parse_args()
    quiet_transformers()
    run = Run(options.out, {"plan": "uniform", "cuts": CUTS, "languages": LANGUAGES})
    for name, shape in SHAPES.items():
        if not run.has(model=name):
            for row in _rows(name, shape):
                run.add(row)
    for name in MULTILINGUAL:
        for language in (ALL, *LANGUAGES):
            if not run.has(model=name, language=language):
                run.add(of_language(name, language))


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
        pad_token_id=min(50_256, shape.vocab - 1),  # by default 50,256, which must be one of the tokens
    )


def table() -> str:
    """Return a row a model: the sizes of the whole one, and the bytes in 8 bits at each cut."""
    (run,) = results_of("sizes")
    sizes = {(row["model"], row["cut"]): row for row in run["rows"] if "cut" in row}
    columns = ["model", "encoder, M", "all, M", "float16, MB", "int8, MB", "int4, MB"]
    lines = []
    for name in SHAPES:
        whole = sizes[name, 0.0]
        counts = [f"{whole[key] / 1e6:,.1f}" for key in ("encoder_params", "total_params")]
        in_mb = [f"{whole[f'{weights}_bytes'] / 1e6:,.0f}" for weights in STORED]
        lines.append([name, *counts, *in_mb, *(f"{sizes[name, cut]['int8_bytes'] / 1e6:,.0f}" for cut in CUTS)])
    return markdown_table([*columns, *(f"int8, encoder -{cut:.0%}" for cut in CUTS)], lines)


def vocabulary_table() -> str:
    """Return a row a language: the tokens that a model keeps for it, and its bytes in 8 bits with nothing cut."""
    (run,) = results_of("sizes")
    sizes = {(row["model"], row["language"]): row for row in run["rows"] if "language" in row}
    lines = []
    for language in (ALL, *LANGUAGES):
        rows = [sizes[name, language] for name in MULTILINGUAL]
        heard = language if language == ALL else named(language)
        lines.append([heard, f"{rows[0]['tokens']:,}", *(f"{row['int8_bytes'] / 1e6:,.0f}" for row in rows)])
    columns = [f"{name.removeprefix('whisper-')}, MB" for name in MULTILINGUAL]
    return markdown_table(["language", "tokens", *columns], lines)


def of_language(name: str, language: str) -> Row:
    """Return the size of a model with the tokens of one language, or with all."""
    shape = SHAPES[name]
    with torch.device("meta"):
        whole = shape_of(config_of(shape))
        if language != ALL:
            spec = CompressionSpec(language=language)
            shape = shape._replace(vocab=smallest_shape(spec, whole).vocab_size)
        sizes = _sizes(WhisperForConditionalGeneration(config_of(shape)), ("int8",))
    return {"model": name, "language": language, "tokens": shape.vocab, **sizes}


def _rows(name: str, shape: Shape) -> list[Row]:
    with torch.device("meta"):
        original = WhisperForConditionalGeneration(config_of(shape))
        found = [{"model": name, "cut": 0.0, **_sizes(original)}]
        for cut in CUTS:
            plan = make_plan(CompressionSpec(encoder_cut=cut, plan="uniform"), shape_of(original.config))
            found.append({"model": name, "cut": cut, **_sizes(empty_model(original, plan))})
    return found


def _sizes(model: Any, stored: Sequence[str] = STORED) -> dict[str, int]:
    return {
        "encoder_params": count_params(model, "encoder"),
        "total_params": model.num_parameters(),
        **{f"{weights}_bytes": round_to(model, weights) for weights in stored},
    }


if __name__ == "__main__":
    main()

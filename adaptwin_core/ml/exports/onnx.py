"""A compressed model as ONNX files in the layout that onnxruntime, transformers.js and their peers read.

`onnx/encoder_model.onnx` and `onnx/decoder_model_merged.onnx`, or both with `_quantized` in 8 bits, beside the usual
text files. One decoder graph serves the first token and the later ones: it computes from the encoder's output the keys
and values that the given cross cache lacks, which are all of them or none. Shape letters as in onnx_graphs.py.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import WhisperFeatureExtractor

from adaptwin_core.ml.base.whisper_files import SIDECARS
from adaptwin_core.ml.exports.dense import OWN_FIELDS
from adaptwin_core.ml.exports.onnx_files import export
from adaptwin_core.ml.exports.onnx_graphs import Cache, Decoder, Encoder, keys_values
from adaptwin_core.ml.model.modeling_adaptwin import AdaptwinWhisperForConditionalGeneration

SUFFIXES = {"float32": "", "int8": "_quantized"}  # as transformers.js names them
ENCODER, DECODER = "encoder_model", "decoder_model_merged"
BATCH = "batch_size"  # transformers.js makes its empty caches by this name, and any other free axis is 0 in them


class MergedDecoder(nn.Module):
    """The decoder with a flat list of caches: of each layer its own keys and values, then those of the encoder."""

    def __init__(self, whisper: Any) -> None:
        super().__init__()
        self.step, self.layers = Decoder(whisper), whisper.model.decoder.layers

    def forward(self, input_ids: Tensor, encoder_hidden_states: Tensor, past: list[Tensor]) -> tuple[Tensor, ...]:
        caches = [tuple(past[4 * i : 4 * i + 4]) for i in range(len(self.layers))]
        own: list[Cache] = [(keys, values) for keys, values, _, _ in caches]
        cross: list[Cache] = []
        for layer, (_, _, keys, values) in zip(self.layers, caches, strict=True):
            unread_BSD = encoder_hidden_states[:, keys.shape[2] :]
            new = keys_values(layer.encoder_attn, unread_BSD)
            cross.append((torch.cat([keys, new[0]], 2), torch.cat([values, new[1]], 2)))
        scores_BLN, own = self.step(input_ids, own, cross)
        return scores_BLN, *(tensor for pairs in zip(own, cross, strict=True) for pair in pairs for tensor in pair)


@torch.no_grad()
def write_onnx(model: AdaptwinWhisperForConditionalGeneration, texts: Path, out: Path, *, weights: str) -> list[str]:
    """Write both graphs, and the files beside them.

    Args:
        texts: folder with the model's configuration, tokenizer and feature settings.
        weights: float32 or int8.

    Returns:
        the names of the files written, relative to `out`.
    """
    graphs, suffix = out / "onnx", SUFFIXES[weights]
    graphs.mkdir(parents=True, exist_ok=True)
    config = model.config
    features_BMF = torch.zeros(2, config.num_mel_bins, 2 * config.max_source_positions - 2)
    export(
        Encoder(model),
        (features_BMF,),
        graphs / f"{ENCODER}{suffix}.onnx",
        inputs={"input_features": {0: BATCH, 2: "frames"}},
        outputs=["last_hidden_state"],
        weights=weights,
    )
    names = _cache_names(config.decoder_layers)
    export(
        MergedDecoder(model),
        (torch.zeros(2, 3, dtype=torch.int64), torch.zeros(2, 7, config.d_model), _example_past(model)),
        graphs / f"{DECODER}{suffix}.onnx",
        inputs={
            "input_ids": {0: BATCH, 1: "new"},
            "encoder_hidden_states": {0: BATCH, 1: "positions"},
            **{f"past_key_values.{name}": {0: BATCH, 2: "read" if "encoder" in name else "before"} for name in names},
        },
        outputs=["logits", *(f"present.{name}" for name in names)],
        weights=weights,
    )
    for name in SIDECARS:
        if (texts / name).exists():
            shutil.copyfile(texts / name, out / name)
    # transformers.js reads sizes that other runtimes derive; saving the settings again writes them out.
    WhisperFeatureExtractor.from_pretrained(texts, local_files_only=True).save_pretrained(out)
    # To runtimes that read only graphs this model is like any Whisper: the plan is in the graphs. The margin is not,
    # because what computes the features decides how long the window is.
    settings = {
        "model_type": "whisper",
        "architectures": ["WhisperForConditionalGeneration"],
        "adaptwin_margin_s": config.adaptwin_margin_s,
    }
    fields = {key: value for key, value in config.to_dict().items() if key not in OWN_FIELDS} | settings
    (out / "config.json").write_text(json.dumps(fields, indent=2, sort_keys=True) + "\n")
    return sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())


def _cache_names(num_layers: int) -> list[str]:
    return [
        f"{layer}.{part}.{what}"
        for layer in range(num_layers)
        for part in ("decoder", "encoder")
        for what in ("key", "value")
    ]


def _example_past(model: Any) -> list[Tensor]:
    """Return caches of 4 tokens and of 5 encoder positions: no other dimension of the example has these sizes."""
    past = []
    for layer in model.model.decoder.layers:
        for attention, length in ((layer.self_attn, 4), (layer.encoder_attn, 5)):
            for projection in (attention.k_proj, attention.v_proj):
                size = projection.out_features // attention.num_heads
                past.append(torch.zeros(2, attention.num_heads, length, size))
    return past

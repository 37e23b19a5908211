"""A compressed model as a CTranslate2 folder, for ctranslate2, faster-whisper and what is built on them.

CTranslate2 takes the head size of each attention from its weights, so every layer may have its own. Within a layer
queries, keys and values share one size, and all layers of a half share one number of heads: what is smaller is padded
with zeros. Queries hold their scale already, so `queries_scale` is 1.
"""

import copy
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ctranslate2.converters.transformers import WhisperLoader
from transformers import WhisperTokenizerFast

from adaptwin_core.ml.exports.padding import cut_attentions, one_matrix, pad_attention
from adaptwin_core.ml.model.modeling_adaptwin import AdaptwinWhisperForConditionalGeneration

# int8 matrices and embedding; all else float16. A CPU computes in int8 and float32 from it.
QUANTIZATION = {"float16": "float16", "int8": "int8_float16"}
SPEC_NAMES = {"self_attn": "self_attention", "encoder_attn": "attention"}
SIDECARS = ("tokenizer.json", "tokenizer_config.json", "preprocessor_config.json")


@torch.no_grad()
def write_ctranslate2(
    model: AdaptwinWhisperForConditionalGeneration, texts: Path, out: Path, *, weights: str
) -> list[str]:
    """Write model.bin and the files beside it.

    Args:
        texts: folder with the model's tokenizer and feature settings.
        weights: float16 or int8.

    Returns:
        the names of the files written.
    """
    loader = WhisperLoader()
    tokenizer = WhisperTokenizerFast.from_pretrained(texts, local_files_only=True)
    padded = _padded(model)
    spec = loader.get_model_spec(padded)
    for half in ("encoder", "decoder"):
        layers = getattr(padded.model, half).layers
        getattr(spec, half).num_heads = np.dtype("int16").type(_most_heads(layers))
        for layer, layer_spec in zip(layers, getattr(spec, half).layer, strict=True):
            for name in cut_attentions(layer):
                getattr(layer_spec, SPEC_NAMES[name]).queries_scale = np.float32(1.0)
    loader.set_config(spec.config, padded, tokenizer)
    loader.set_vocabulary(spec, loader.get_vocabulary(padded, tokenizer))
    spec.validate()
    spec.optimize(quantization=QUANTIZATION[weights])
    out.mkdir(parents=True, exist_ok=True)
    spec.save(str(out))
    for name in SIDECARS:
        shutil.copyfile(texts / name, out / name)
    return sorted(path.name for path in out.iterdir())


def _padded(model: AdaptwinWhisperForConditionalGeneration) -> Any:
    """Return a padded copy: one number of heads for each half, one head size for each attention, and one matrix for
    each linear layer.
    """
    padded: Any = copy.deepcopy(model)
    for half in (padded.model.encoder, padded.model.decoder):
        heads = _most_heads(half.layers)
        for layer in half.layers:
            for attention in cut_attentions(layer).values():
                pad_attention(attention, heads, max(attention.query_size, attention.value_size))
            layer.fc1, layer.fc2 = one_matrix(layer.fc1), one_matrix(layer.fc2)
    return padded


def _most_heads(layers: Any) -> int:
    return max(int(layer.self_attn.num_heads) for layer in layers)

"""A compressed model as a CTranslate2 folder, for ctranslate2, faster-whisper and what is built on them.

CTranslate2 takes the head size of each attention from its weights, so every layer may have its own. Queries, keys and
values of one layer share it: the smaller gets zeros. The number of heads is one for all layers of a half: those with
fewer get heads of zeros. Queries hold their scale already, which `queries_scale` says.
"""

import copy
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ctranslate2.converters.transformers import WhisperLoader
from transformers import WhisperTokenizerFast

from adaptwin_core.ml.exports.padding import cut_attentions, even_out, one_matrix
from adaptwin_core.ml.model.modeling_adaptwin import AdaptwinWhisperForConditionalGeneration

# int8 matrices and embedding; all else float16. A CPU computes in int8 and float32 from it.
QUANTIZATION = {"float16": "float16", "int8": "int8_float16"}
SPEC_NAMES = {"self_attn": "self_attention", "encoder_attn": "attention"}
SIDECARS = ("tokenizer.json", "tokenizer_config.json", "preprocessor_config.json")


@torch.no_grad()
def write_ctranslate2(
    model: AdaptwinWhisperForConditionalGeneration, texts: Path, out: Path, *, weights: str
) -> list[str]:
    """Write model.bin and what stands beside it.

    Args:
        texts: folder with the model's tokenizer and feature settings.
        weights: float16 or int8.

    Returns:
        the names of the files written.
    """
    loader = WhisperLoader()
    tokenizer = WhisperTokenizerFast.from_pretrained(texts, local_files_only=True)
    even = _even(model)
    spec = loader.get_model_spec(even)
    for part in ("encoder", "decoder"):
        getattr(spec, part).num_heads = np.dtype("int16").type(_most_heads(getattr(even.model, part)))
        for layer, layer_spec in zip(getattr(even.model, part).layers, getattr(spec, part).layer, strict=True):
            for name in cut_attentions(layer):
                getattr(layer_spec, SPEC_NAMES[name]).queries_scale = np.float32(1.0)
    loader.set_config(spec.config, even, tokenizer)
    loader.set_vocabulary(spec, loader.get_vocabulary(even, tokenizer))
    spec.validate()
    spec.optimize(quantization=QUANTIZATION[weights])
    out.mkdir(parents=True, exist_ok=True)
    spec.save(str(out))
    for name in SIDECARS:
        shutil.copyfile(texts / name, out / name)
    return sorted(path.name for path in out.iterdir())


def _even(model: AdaptwinWhisperForConditionalGeneration) -> Any:
    """Return a copy whose attentions have one number of heads, and one head size each, and whose linears are single
    matrices.
    """
    even: Any = copy.deepcopy(model)
    for part in (even.model.encoder, even.model.decoder):
        heads = _most_heads(part)
        for layer in part.layers:
            for attention in cut_attentions(layer).values():
                even_out(attention, heads, max(attention.query_size, attention.value_size))
            layer.fc1, layer.fc2 = one_matrix(layer.fc1), one_matrix(layer.fc2)
    return even


def _most_heads(part: Any) -> int:
    return max(int(layer.self_attn.num_heads) for layer in part.layers)

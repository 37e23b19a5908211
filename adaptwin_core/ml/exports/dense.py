"""The dense form: a compressed model as a stock Whisper of the original's shape. It computes the same, runs everywhere
and is not smaller.

Zeros take the place of the heads, columns of heads and neurons that were cut. Thin matrices are multiplied.
Shape letters: D width, F neurons of the original, N kept.
"""

from typing import Any

import torch
from torch import Tensor, nn
from transformers import WhisperConfig, WhisperForConditionalGeneration

from adaptwin_core.ml.exports.padding import cut_attentions, one_matrix, padded_projections
from adaptwin_core.ml.model.modeling_adaptwin import AdaptwinWhisperForConditionalGeneration, TwinAttention

OWN_FIELDS = ("adaptwin_margin_s", "adaptwin_plan", "adaptwin_weights", "auto_map", "architectures", "model_type")


@torch.no_grad()
def dense(model: AdaptwinWhisperForConditionalGeneration) -> WhisperForConditionalGeneration:
    """Return a stock `WhisperForConditionalGeneration` that computes the same, in float32."""
    fields = {name: value for name, value in model.config.to_dict().items() if name not in OWN_FIELDS}
    config = WhisperConfig(**fields)
    config._attn_implementation = "sdpa"
    whole = WhisperForConditionalGeneration(config)
    # Tensors that the loop below does not replace are the same in both.
    stock = whole.state_dict().keys()
    state = {name: tensor for name, tensor in model.state_dict().items() if name in stock}
    for half, ffn in (("encoder", config.encoder_ffn_dim), ("decoder", config.decoder_ffn_dim)):
        for index, layer in enumerate(getattr(model.model, half).layers):
            prefix = f"model.{half}.layers.{index}."
            for name, attention in cut_attentions(layer).items():
                state |= {f"{prefix}{name}.{key}": tensor for key, tensor in _attention(attention).items()}
            state |= {f"{prefix}{key}": tensor for key, tensor in _feed_forward(layer, ffn).items()}
    whole.load_state_dict(state)
    whole.generation_config = model.generation_config
    return whole.eval()


def _attention(twin: TwinAttention) -> dict[str, Tensor]:
    # The stock attention applies the scale that the padded queries already hold, so they are divided by it here.
    scale = twin.head_dim**0.5
    num_heads = twin.embed_dim // twin.head_dim
    padded = padded_projections(twin, num_heads, twin.head_dim)
    tensors = {f"{name}.{key}": tensor for name, made in padded.items() for key, tensor in made.state_dict().items()}
    tensors |= {name: tensors[name] * scale for name in ("q_proj.weight", "q_proj.bias")}
    return {"v_proj.bias": torch.zeros(twin.embed_dim)} | tensors


def _feed_forward(layer: Any, num_neurons: int) -> dict[str, Tensor]:
    fc1, fc2 = one_matrix(layer.fc1), one_matrix(layer.fc2)
    missing = num_neurons - fc1.out_features
    return {
        "fc1.weight": nn.functional.pad(fc1.weight, (0, 0, 0, missing)),
        "fc1.bias": nn.functional.pad(fc1.bias, (0, missing)),
        "fc2.weight": nn.functional.pad(fc2.weight, (0, missing)),
        "fc2.bias": fc2.bias,
    }

"""A compressed model as a stock Whisper of the original's shape: exact, compatible with everything, and not smaller.

What was cut away comes back as zeros: columns of heads, neurons. Thin matrices are multiplied out.
Shape letters: H heads, K head size of the original, R kept columns, D width, F neurons of the original, N kept.
"""

from typing import Any

import torch
from torch import Tensor, nn
from transformers import WhisperConfig, WhisperForConditionalGeneration

from adaptwin_core.ml.modeling_adaptwin import AdaptwinWhisperForConditionalGeneration, LowRankLinear, TwinAttention

OWN_FIELDS = ("adaptwin_plan", "adaptwin_weights", "auto_map", "architectures", "model_type")


@torch.no_grad()
def dense(model: AdaptwinWhisperForConditionalGeneration) -> WhisperForConditionalGeneration:
    """Return the same function as a stock `WhisperForConditionalGeneration`, in float32."""
    fields = {name: value for name, value in model.config.to_dict().items() if name not in OWN_FIELDS}
    config = WhisperConfig(**fields)
    config._attn_implementation = "sdpa"
    whole = WhisperForConditionalGeneration(config)
    # Tensors that the layers below do not replace are the same in both.
    state = {name: tensor for name, tensor in model.state_dict().items() if name in whole.state_dict()}
    for part, ffn in (("encoder", config.encoder_ffn_dim), ("decoder", config.decoder_ffn_dim)):
        for index, layer in enumerate(getattr(model.model, part).layers):
            prefix = f"model.{part}.layers.{index}."
            for name in ("self_attn", "encoder_attn"):
                attention = getattr(layer, name, None)
                if isinstance(attention, TwinAttention):
                    state |= {f"{prefix}{name}.{key}": tensor for key, tensor in _attention(attention).items()}
            state |= {f"{prefix}{key}": tensor for key, tensor in _feed_forward(layer, ffn).items()}
    whole.load_state_dict(state)
    whole.generation_config = model.generation_config
    return whole.eval()


def _attention(twin: TwinAttention) -> dict[str, Tensor]:
    heads, size = twin.num_heads, twin.head_dim
    # A cut query holds the scale that the stock attention applies again.
    scale = twin.scaling * size**0.5
    value_bias = twin.v_proj.bias if twin.v_proj.bias is not None else twin.v_proj.weight.new_zeros(heads * size)
    return {
        "q_proj.weight": _rows(twin.q_proj.weight, heads, size) * scale,
        "q_proj.bias": _rows(twin.q_proj.bias, heads, size) * scale,
        "k_proj.weight": _rows(twin.k_proj.weight, heads, size),
        "v_proj.weight": _rows(twin.v_proj.weight, heads, size),
        "v_proj.bias": value_bias,
        "out_proj.weight": _rows(twin.out_proj.weight.mT, heads, size).mT.contiguous(),
        "out_proj.bias": twin.out_proj.bias,
    }


def _rows(tensor: Tensor, heads: int, size: int) -> Tensor:
    """Return (H·R, …) as (H·K, …), the rows of every head followed by zeros."""
    by_head = tensor.unflatten(0, (heads, -1))
    zeros = tensor.new_zeros(heads, size - by_head.shape[1], *by_head.shape[2:])
    return torch.cat([by_head, zeros], 1).flatten(0, 1)


def _feed_forward(layer: Any, num_neurons: int) -> dict[str, Tensor]:
    fc1_ND, bias_N = _matrix(layer.fc1)
    fc2_DN, bias_D = _matrix(layer.fc2)
    missing = num_neurons - len(fc1_ND)
    return {
        "fc1.weight": nn.functional.pad(fc1_ND, (0, 0, 0, missing)),
        "fc1.bias": nn.functional.pad(bias_N, (0, missing)),
        "fc2.weight": nn.functional.pad(fc2_DN, (0, missing)),
        "fc2.bias": bias_D,
    }


def _matrix(linear: Any) -> tuple[Tensor, Tensor]:
    if isinstance(linear, LowRankLinear):
        return linear.up.weight @ linear.down.weight, linear.up.bias
    return linear.weight, linear.bias

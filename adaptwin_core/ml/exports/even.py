"""Plain shapes that every runtime holds: one head size a layer, one matrix a linear layer. Exact.

Shape letters: H heads, R kept columns of a head, E columns after zeros are added, D width.
"""

from typing import Any

import torch
from torch import Tensor, nn

from adaptwin_core.ml.modeling_adaptwin import LowRankLinear, TwinAttention


@torch.no_grad()
def even_attention(twin: TwinAttention, size: int) -> dict[str, nn.Linear]:
    """Return the four projections with `size` columns in each head: its own, then zeros.

    Queries carry their whole scale, so scores need none. A value bias that was folded into the output's stays there.
    """
    heads = twin.num_heads
    return {
        "q_proj": linear(
            _rows(twin.q_proj.weight, heads, size) * twin.scaling, _rows(twin.q_proj.bias, heads, size) * twin.scaling
        ),
        "k_proj": linear(_rows(twin.k_proj.weight, heads, size), None),
        "v_proj": linear(
            _rows(twin.v_proj.weight, heads, size),
            None if twin.v_proj.bias is None else _rows(twin.v_proj.bias, heads, size),
        ),
        "out_proj": linear(_rows(twin.out_proj.weight.mT, heads, size).mT.contiguous(), twin.out_proj.bias),
    }


def even_out(attention: Any, size: int) -> None:
    """Give an attention, in place, the projections of `even_attention`; its scale is in the queries then."""
    for name, made in even_attention(attention, size).items():
        setattr(attention, name, made)
    attention.scaling = 1.0


def cut_attentions(layer: nn.Module) -> dict[str, TwinAttention]:
    """Return the attentions of a layer that were cut, by their attribute."""
    found = {name: getattr(layer, name, None) for name in ("self_attn", "encoder_attn")}
    return {name: attention for name, attention in found.items() if isinstance(attention, TwinAttention)}


@torch.no_grad()
def one_matrix(layer: Any) -> nn.Linear:
    """Return a linear layer as one matrix; two thin ones are multiplied out."""
    if isinstance(layer, LowRankLinear):
        return linear(layer.up.weight @ layer.down.weight, layer.up.bias)
    assert isinstance(layer, nn.Linear)
    return layer


def linear(weight_OI: Tensor, bias_O: Tensor | None) -> nn.Linear:
    """Return the layer of these weights."""
    made = nn.Linear(weight_OI.shape[1], weight_OI.shape[0], bias=bias_O is not None)
    made.weight = nn.Parameter(weight_OI, requires_grad=False)
    if bias_O is not None:
        made.bias = nn.Parameter(bias_O, requires_grad=False)
    return made


def _rows(tensor: Tensor, heads: int, size: int) -> Tensor:
    """Return (H·R, …) as (H·E, …), the rows of every head followed by zeros."""
    by_head = tensor.unflatten(0, (heads, -1))
    zeros = tensor.new_zeros(heads, size - by_head.shape[1], *by_head.shape[2:])
    return torch.cat([by_head, zeros], 1).flatten(0, 1)

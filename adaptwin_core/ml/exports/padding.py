"""Cut layers padded with zeros to the shapes that other runtimes take, without changing what they compute.

Every head of an attention gets one size, and every linear layer one matrix.

Shape letters: G kept heads, H heads after zeros are added, R kept columns of a head, E columns after zeros are added.
"""

from typing import Any

import torch
from torch import Tensor, nn

from adaptwin_core.ml.model.modeling_adaptwin import LowRankLinear, TwinAttention


@torch.no_grad()
def padded_projections(twin: TwinAttention, heads: int, size: int) -> dict[str, nn.Linear]:
    """Return the four projections with `heads` heads of `size` columns: its own, then zeros.

    The queries hold the whole scale of the scores. A value bias that was folded into the output's stays there.
    """

    def rows(tensor: Tensor) -> Tensor:
        """Return (G·R, …) as (H·E, …): zeros after the rows of every head, and after the last head."""
        by_head = tensor.unflatten(0, (twin.num_heads, -1))
        padded = tensor.new_zeros(heads, size, *by_head.shape[2:])
        padded[: by_head.shape[0], : by_head.shape[1]] = by_head
        return padded.flatten(0, 1)

    value_bias = twin.v_proj.bias
    return {
        "q_proj": linear(rows(twin.q_proj.weight) * twin.scaling, rows(twin.q_proj.bias) * twin.scaling),
        "k_proj": linear(rows(twin.k_proj.weight), None),
        "v_proj": linear(rows(twin.v_proj.weight), None if value_bias is None else rows(value_bias)),
        "out_proj": linear(rows(twin.out_proj.weight.mT).mT.contiguous(), twin.out_proj.bias),
    }


def pad_attention(attention: Any, heads: int, size: int) -> None:
    """Give an attention, in place, the projections of `padded_projections`; the queries then hold its scale."""
    for name, made in padded_projections(attention, heads, size).items():
        setattr(attention, name, made)
    attention.scaling = 1.0


def cut_attentions(layer: nn.Module) -> dict[str, TwinAttention]:
    """Return the attentions of a layer that were cut, by their attribute's name."""
    found = {name: getattr(layer, name, None) for name in ("self_attn", "encoder_attn")}
    return {name: attention for name, attention in found.items() if isinstance(attention, TwinAttention)}


@torch.no_grad()
def one_matrix(layer: Any) -> nn.Linear:
    """Return a linear layer as one matrix; the two thin ones of a low rank are multiplied."""
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

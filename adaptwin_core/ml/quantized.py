"""Weights stored in 8 or 4 bits: matrices of linear layers and the token embedding. All else stays float16.

int8: symmetric, one scale an output row. int4: asymmetric, a scale and a zero for every few inputs of a row, since at
16 steps one range for a whole row is too coarse. Both round to nearest.

Shape letters: O outputs, I inputs, G groups of inputs in a row, K inputs in a group.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from adaptwin_core.ml.modeling_adaptwin import SCALE_SUFFIX, ZERO_SUFFIX, widened

LARGEST_INT8, LARGEST_INT4 = 127, 15
GROUPS = (32, 16, 8, 4, 2)  # inputs in a group: the largest of these that divides a row
STORED = ("float16", "int8", "int4")  # the forms, largest first


@dataclass(frozen=True)
class Int8Weight:
    """`values_OI` times `scale_O` is the weight."""

    values_OI: Tensor
    scale_O: Tensor

    @classmethod
    def of(cls, weight_OI: Tensor) -> "Int8Weight":
        """Round a matrix; the scale is float16, and the values are rounded knowing that."""
        scale_O = _half(weight_OI.abs().amax(1) / LARGEST_INT8)
        values = (weight_OI / scale_O.float().unsqueeze(1)).round().clamp(-LARGEST_INT8, LARGEST_INT8)
        return cls(values.to(torch.int8), scale_O)

    def tensors(self, name: str) -> dict[str, Tensor]:
        return {name: self.values_OI, name + SCALE_SUFFIX: self.scale_O}


@dataclass(frozen=True)
class Int4Weight:
    """(value - `zero_OG`) times `scale_OG` is the weight; `packed` holds two values a byte, the even one low."""

    packed: Tensor  # uint8, (O, I / 2)
    scale_OG: Tensor
    zero_OG: Tensor

    @classmethod
    def of(cls, weight_OI: Tensor) -> "Int4Weight":
        """Round a matrix of an even number of inputs; scales are float16, and the values are rounded knowing that."""
        group = next(size for size in GROUPS if weight_OI.shape[1] % size == 0)
        weight_OGK = weight_OI.unflatten(1, (-1, group))
        # Zero is always among the 16 values: what was exactly nothing stays nothing.
        low_OG, high_OG = weight_OGK.amin(-1).clamp_max(0), weight_OGK.amax(-1).clamp_min(0)
        scale_OG = _half((high_OG - low_OG) / LARGEST_INT4)
        step_OG1 = scale_OG.float().unsqueeze(-1)
        zero_OG1 = (-low_OG.unsqueeze(-1) / step_OG1).round().clamp(0, LARGEST_INT4)
        values = ((weight_OGK / step_OG1).round() + zero_OG1).clamp(0, LARGEST_INT4).to(torch.uint8).flatten(1)
        return cls(values[:, ::2] | values[:, 1::2] << 4, scale_OG, zero_OG1.squeeze(-1).to(torch.uint8))

    def tensors(self, name: str) -> dict[str, Tensor]:
        return {name: self.packed, name + SCALE_SUFFIX: self.scale_OG, name + ZERO_SUFFIX: self.zero_OG}


@torch.no_grad()
def stored_state(model: nn.Module, weights: str) -> dict[str, Tensor]:
    """Return a model's weights as they are stored. A tensor that two layers share is kept once.

    Args:
        weights: float16, int8 or int4. A matrix of an odd number of inputs stays at 8 bits in int4.
    """
    matrices = dict(_matrices(model)) if weights != "float16" else {}
    state: dict[str, Tensor] = {}
    for name, tensor in model.named_parameters():  # a shared one is named once
        if name not in matrices:
            state[name] = tensor.half()
        elif weights == "int4" and tensor.shape[1] % 2 == 0:
            state |= Int4Weight.of(tensor).tensors(name)
        else:
            state |= Int8Weight.of(tensor).tensors(name)
    return state


@torch.no_grad()
def round_to(model: nn.Module, weights: str) -> int:
    """Give a model, in place, the numbers that storing and loading would.

    Returns:
        bytes of the weights as stored.
    """
    state = stored_state(model, weights)
    for name, tensor in widened(state).items():
        model.get_parameter(name).copy_(tensor)
    return sum(tensor.numel() * tensor.element_size() for tensor in state.values())


def _half(scale: Tensor) -> Tensor:
    return scale.clamp_min(torch.finfo(torch.float16).tiny).half()


def _matrices(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear) or (isinstance(module, nn.Embedding) and "embed_positions" not in name):
            weight: Any = module.weight
            yield f"{name}.weight", weight

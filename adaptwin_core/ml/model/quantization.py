"""Weights stored in 8 or 4 bits: matrices of linear layers and the token embedding. All else stays float16.

int8: symmetric, one scale per output row, rounded to nearest. int4: asymmetric, a scale and a zero for each group of
inputs in a row, rounded as rounding.py says.

Shape letters: O outputs, I inputs, G groups of inputs in a row.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from adaptwin_core.ml.model.adapter import is_position_table
from adaptwin_core.ml.model.modeling_adaptwin import SCALE_SUFFIX, ZERO_SUFFIX, widened
from adaptwin_core.ml.model.rounding import compensated, half_scale, nearest

LARGEST_INT8 = 127
STORED = ("float16", "int8", "int4")  # largest first

InputMoments = Mapping[str, Tensor]  # E[x·xᵀ]_II of a matrix's inputs x, by the weight's name
NOT_MEASURED: InputMoments = MappingProxyType({})


@dataclass(frozen=True)
class Int8Weight:
    """`values_OI` times `scale_O` is the weight."""

    values_OI: Tensor
    scale_O: Tensor

    @classmethod
    def of(cls, weight_OI: Tensor) -> "Int8Weight":
        """Round a matrix. The values are rounded to the scale as float16 stores it."""
        scale_O = half_scale(weight_OI.abs().amax(1) / LARGEST_INT8)
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
    def of(cls, weight_OI: Tensor, inputs_II: Tensor | None = None) -> "Int4Weight":
        """Round a matrix with an even number of inputs: to nearest, or by the inputs' second moment E[x·xᵀ]."""
        levels = nearest(weight_OI) if inputs_II is None else compensated(weight_OI, inputs_II)
        packed = levels.values_OI[:, ::2] | levels.values_OI[:, 1::2] << 4
        return cls(*(part.to(weight_OI.device) for part in (packed, levels.scale_OG, levels.zero_OG)))

    def tensors(self, name: str) -> dict[str, Tensor]:
        return {name: self.packed, name + SCALE_SUFFIX: self.scale_OG, name + ZERO_SUFFIX: self.zero_OG}


@torch.no_grad()
def stored_state(model: nn.Module, weights: str, inputs: InputMoments = NOT_MEASURED) -> dict[str, Tensor]:
    """Return a model's weights as they are stored. A tensor that two layers share is kept once.

    Args:
        weights: float16, int8 or int4. In int4, a matrix with an odd number of inputs takes 8 bits.
        inputs: used by int4; a matrix that is not among them is rounded to nearest.
    """
    matrices = dict(_matrices(model)) if weights != "float16" else {}
    state: dict[str, Tensor] = {}
    for name, tensor in model.named_parameters():  # a shared one is named once
        if name not in matrices:
            state[name] = tensor.half()
        elif weights == "int4" and tensor.shape[1] % 2 == 0:
            state |= Int4Weight.of(tensor, inputs.get(name)).tensors(name)
        else:
            state |= Int8Weight.of(tensor).tensors(name)
    return state


@torch.no_grad()
def round_to(model: nn.Module, weights: str, inputs: InputMoments = NOT_MEASURED) -> int:
    """Give a model, in place, the weights that it would have after being stored and loaded.

    Returns:
        bytes of the weights as stored.
    """
    return hold(model, stored_state(model, weights, inputs))


@torch.no_grad()
def hold(model: nn.Module, state: dict[str, Tensor]) -> int:
    """Load stored weights into a model, in place, and return their size in bytes."""
    for name, tensor in widened(state).items():
        model.get_parameter(name).copy_(tensor)
    return sum(tensor.numel() * tensor.element_size() for tensor in state.values())


def _matrices(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear) or (isinstance(module, nn.Embedding) and not is_position_table(name)):
            weight: Any = module.weight
            yield f"{name}.weight", weight

"""Weights rounded to 8 bits: one scale an output row, symmetric, nearest. Biases, norms and positions stay float16."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from adaptwin_core.ml.modeling_adaptwin import SCALE_SUFFIX, widened

LARGEST = 127
FLOAT16_BYTES = 2


@dataclass(frozen=True)
class Int8Weight:
    """`values_OI` times `scale_O` is the weight."""

    values_OI: Tensor
    scale_O: Tensor

    @classmethod
    def of(cls, weight_OI: Tensor) -> "Int8Weight":
        """Round a matrix; the scale is float16, and the values are rounded knowing that."""
        scale_O = (weight_OI.abs().amax(1) / LARGEST).clamp_min(torch.finfo(torch.float16).tiny).half()
        values = (weight_OI / scale_O.float().unsqueeze(1)).round().clamp(-LARGEST, LARGEST)
        return cls(values.to(torch.int8), scale_O)


@torch.no_grad()
def int8_state(model: nn.Module) -> dict[str, Tensor]:
    """Return a model's weights for storage: matrices of linear layers and the token embedding in 8 bits with their
    scales, all else float16. A tensor that two layers share is kept once.
    """
    state: dict[str, Tensor] = {}
    matrices = dict(_matrices(model))
    for name, tensor in model.named_parameters():  # a shared one is named once
        if name not in matrices:
            state[name] = tensor.half()
            continue
        grid = Int8Weight.of(tensor)
        state[name], state[name + SCALE_SUFFIX] = grid.values_OI, grid.scale_O
    return state


@torch.no_grad()
def round_to_int8(model: nn.Module) -> int:
    """Put a model's matrices on their 8-bit grid, in place, as storing and loading would.

    Returns:
        bytes of the weights as stored.
    """
    state = int8_state(model)
    for name, tensor in widened(state).items():
        model.get_parameter(name).copy_(tensor)
    return sum(tensor.numel() * tensor.element_size() for tensor in state.values())


def _matrices(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear) or (isinstance(module, nn.Embedding) and "embed_positions" not in name):
            weight: Any = module.weight
            yield f"{name}.weight", weight

"""Weights rounded to 8 bits: one scale an output row, symmetric, nearest. Biases, norms and positions stay float16."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

LARGEST = 127
INT8_BYTES, SCALE_BYTES, REST_BYTES = 1, 2, 2


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

    def dequantized(self) -> Tensor:
        return self.values_OI.float() * self.scale_O.float().unsqueeze(1)


@torch.no_grad()
def round_to_int8(model: nn.Module) -> int:
    """Put every linear layer and embedding of a model on its 8-bit grid, in place.

    Returns:
        bytes of the weights as stored: 1 a rounded number, 2 a scale and any other number.
    """
    total = 0
    rounded: set[int] = set()
    for weight in _matrices(model):
        if id(weight) in rounded:  # the output layer is the token embedding
            continue
        rounded.add(id(weight))
        grid = Int8Weight.of(weight)
        weight.copy_(grid.dequantized())
        total += weight.numel() * INT8_BYTES + len(grid.scale_O) * SCALE_BYTES
    rest = {id(p): p for p in model.parameters() if id(p) not in rounded}
    return total + REST_BYTES * sum(p.numel() for p in rest.values())


def _matrices(model: nn.Module) -> Iterator[nn.Parameter]:
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear) or (isinstance(module, nn.Embedding) and "embed_positions" not in name):
            weight: Any = module.weight
            yield weight

"""Scale tuning: the levels of 4-bit weights stay, their scales are trained to make up for what rounding lost.

Only the scales are trained, as in PEQA (Kim, Lee, Kim, Park, Yoo, Kwon and Lee 2023): one number for every group of
inputs of a row, so nothing is rounded again, and the file keeps its size.

Shape letters: O outputs, I inputs, G groups of inputs in a row.
"""

import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import register_parametrization

from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.ml.model.modeling_adaptwin import SCALE_SUFFIX, ZERO_SUFFIX
from adaptwin_core.ml.model.quantization import hold
from adaptwin_core.ml.model.rounding import half_scale
from adaptwin_core.ml.training.loop import Checks, OnStep, train
from adaptwin_core.ml.training.mixture import Mixture
from adaptwin_core.ml.training.teacher import Teacher

RATE = 1e-3  # AdamW's learning rate for the relative change of a scale


@dataclass(frozen=True)
class Rescaled:
    """The stored weights with the scales of the least validation loss, and every check."""

    state: dict[str, Tensor]
    checks: Checks


class _Scales(nn.Module):
    """The scales of a rounded matrix, each (1 + `change_OG`) times what it was."""

    def __init__(self, scale_OG: Tensor) -> None:
        super().__init__()
        self.change_OG = nn.Parameter(torch.zeros_like(scale_OG, dtype=torch.float32))

    def forward(self, rounded_OI: Tensor) -> Tensor:
        rounded_OGK = rounded_OI.unflatten(1, (self.change_OG.shape[1], -1))
        return (rounded_OGK * (1 + self.change_OG).unsqueeze(-1)).flatten(1)


def rescale(
    model: Any,
    state: dict[str, Tensor],
    teacher: Teacher,
    mixture: Mixture,
    spec: CompressionSpec,
    *,
    num_steps: int,
    on_step: OnStep = lambda _step, _loss: None,
) -> Rescaled:
    """Train the scales of every 4-bit linear layer, the output layer apart, for `num_steps` steps.

    Args:
        model: the one that was rounded; it is not changed.
        state: its weights as they are stored.
    """
    if num_steps == 0 or not mixture.speaker:
        return Rescaled(state, [])
    torch.manual_seed(spec.seed)
    running = copy.deepcopy(model).requires_grad_(False)
    hold(running, state)
    scales = _free_scales(running, state)
    changes = [found.change_OG for found in scales.values()]
    checks = train(running, changes, teacher, mixture, spec, num_steps=num_steps, rate=RATE, on_step=on_step)
    learnt = {name: half_scale(state[name].float() * (1 + found.change_OG.detach())) for name, found in scales.items()}
    return Rescaled(state | learnt, checks)


def _free_scales(model: nn.Module, state: dict[str, Tensor]) -> dict[str, _Scales]:
    """Make every 4-bit linear layer, the output layer apart, follow its scales, and return these by their name."""
    scales: dict[str, _Scales] = {}
    for module_name, module in list(model.named_modules()):
        weight = f"{module_name}.weight"
        # The output layer is stored under the token embedding's name: training its scales as well gained nothing.
        if isinstance(module, nn.Linear) and weight + ZERO_SUFFIX in state:
            name = weight + SCALE_SUFFIX
            scales[name] = _Scales(state[name])
            register_parametrization(module, "weight", scales[name])
    return scales

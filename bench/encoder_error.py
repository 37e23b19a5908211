"""How far a smaller encoder is from the original's, as every bench measures it."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

Heard = tuple[Tensor, Tensor]  # features_1MT, and what the original's encoder makes of them


@torch.no_grad()
def as_heard(original: Any, windows: Sequence[Tensor]) -> list[Heard]:
    """Return the windows (features_1MT) with the original encoder's output for each."""
    return [(features_1MT, original.model.encoder(features_1MT).last_hidden_state) for features_1MT in windows]


@torch.no_grad()
def encoder_error(model: Any, windows: Sequence[Heard]) -> float:
    """Return the mean over windows of ‖compressed - original‖² / ‖original‖² of the encoder's output."""
    errors = []
    for features_1MT, target in windows:
        lost = model.model.encoder(features_1MT).last_hidden_state - target
        errors.append(float(lost.square().sum() / target.square().sum()))
    return sum(errors) / len(errors)

"""How far a smaller encoder is from the original's, as every bench measures it."""

from typing import Any

import torch
from torch import Tensor


@torch.no_grad()
def encoder_error(model: Any, original: Any, windows: list[Tensor]) -> float:
    """Return the mean over windows of ‖compressed - original‖² / ‖original‖² of the encoder's output."""
    errors = []
    for features_1MT in windows:
        target = original.model.encoder(features_1MT).last_hidden_state
        lost = model.model.encoder(features_1MT).last_hidden_state - target
        errors.append(float(lost.square().sum() / target.square().sum()))
    return sum(errors) / len(errors)

"""LoRA adapters on linear layers, through peft: W x + (alpha / rank) · B A x, where only A and B are trained.

Merged at the end, they leave the model's size as it was.
"""

from collections.abc import Sequence
from typing import Any

from peft import LoraConfig, PeftModel, get_peft_model
from torch import nn

ALPHA_PER_RANK = 2  # the scale of every adapter, whatever its rank


def with_adapters(model: nn.Module, target_modules: Sequence[str], rank: int) -> PeftModel:
    """Return the model with new adapters on the linear layers of these names; all else is frozen."""
    config = LoraConfig(r=rank, lora_alpha=ALPHA_PER_RANK * rank, target_modules=list(target_modules))
    adapted: PeftModel = get_peft_model(model, config)
    return adapted


def without_wrapper(model: Any) -> Any:
    """Return the model itself, adapters included, where peft has wrapped it."""
    return model.base_model.model if isinstance(model, PeftModel) else model


def merged(model: Any) -> Any:
    """Return the model with its adapters, if it has any, added to its weights."""
    return model.merge_and_unload() if isinstance(model, PeftModel) else model


def trained_parameters(adapted: PeftModel) -> list[nn.Parameter]:
    return [parameter for parameter in adapted.parameters() if parameter.requires_grad]

"""LoRA adapters on linear layers, through peft: W x + (alpha / rank) · B A x, where only A and B are trained.

Merged at the end, they leave the model's size as it was.
"""

from collections.abc import Callable
from typing import Any

from peft import LoraConfig, PeftModel, get_peft_model
from torch import nn

ALPHA_PER_RANK = 2  # the scale of every adapter, whatever its rank


def with_adapters(model: nn.Module, is_wanted: Callable[[str], bool], rank: int) -> PeftModel:
    """Return the model with new adapters on the linear layers whose names are wanted; all else is frozen."""
    linears = [name for name, module in model.named_modules() if isinstance(module, nn.Linear)]
    wanted = [name for name in linears if is_wanted(name)]
    config = LoraConfig(r=rank, lora_alpha=ALPHA_PER_RANK * rank, target_modules=wanted)
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

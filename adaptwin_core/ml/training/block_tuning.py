"""The layer-wise phase: one cut block, alone, learns to give the original block's output (AdaPTwin's parallel
fine-tuning).

LoRA adapters on the block's factors are trained and merged, so the block keeps its size. Shape letters: B batch,
T positions, S encoder positions, D width.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from adaptwin_core.domain.shape import BlockId
from adaptwin_core.ml.compression.cut_layer import BlockInput
from adaptwin_core.ml.model.adapter import block_prefixes, run_block
from adaptwin_core.ml.model.precision import quick_products
from adaptwin_core.ml.training.adapters import merged, trained_parameters, with_adapters, without_wrapper
from adaptwin_core.ml.training.loop import OnStep
from adaptwin_core.ml.training.schedule import cosine_schedule

JUDGED_SHARE = 0.25  # of the windows: never trained on, they decide whether tuning helped


@dataclass(frozen=True)
class TunedBlock:
    """The block's weights, and its error before and after tuning on the windows that tuning did not see.

    Attributes:
        state: tensors by their name inside the layer, as in `CutBlock`.
        error_before, error_after: ‖cut - original‖² / ‖what the original block adds to its input‖².
    """

    state: dict[str, Tensor]
    error_before: float
    error_after: float


def tune_block(
    original: nn.Module,
    cut_layer: nn.Module,
    block: BlockId,
    inputs: Sequence[BlockInput],
    *,
    lora_rank: int,
    steps: int,
    learning_rate: float,
    seed: int,
    on_step: OnStep = lambda _step, _loss: None,
) -> TunedBlock:
    """Train adapters on the cut block to match the original on the given inputs, merge them, and keep the better of
    the two.

    Args:
        inputs: one window each; the targets are the original block's outputs on them.
    """
    prefixes = block_prefixes(block)
    names = [name for name, _ in cut_layer.named_parameters() if name.startswith(prefixes)]
    with torch.no_grad():
        targets = [run_block(original, block, item.hidden_BTD, item.encoder_BSD) for item in inputs]
    num_trained = len(inputs) - int(JUDGED_SHARE * len(inputs))
    judged = slice(num_trained if num_trained < len(inputs) else 0, None)  # too few to spare one: all decide
    before = _mean_error(cut_layer, block, inputs[judged], targets[judged])
    if steps == 0 or not inputs:
        return TunedBlock(_state(cut_layer, names), before, before)
    torch.manual_seed(seed)
    order = random.Random(seed)  # noqa: S311  # an order, not a secret
    untuned = _state(cut_layer, names)
    adapted = with_adapters(cut_layer, lambda name: name.startswith(prefixes), lora_rank)
    running: nn.Module = without_wrapper(adapted)
    optimizer = torch.optim.AdamW(trained_parameters(adapted), lr=learning_rate, weight_decay=0.0)
    schedule = cosine_schedule(optimizer, steps)
    for step in range(steps):
        index = order.randrange(num_trained)
        item = inputs[index]
        with quick_products(item.hidden_BTD.device):
            output_BTD = run_block(running, block, item.hidden_BTD, item.encoder_BSD)
        loss = _error(output_BTD.float(), targets[index], item)
        loss.backward()
        nn.utils.clip_grad_norm_(adapted.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        schedule.step()
        on_step(step + 1, float(loss.detach()))
    tuned = merged(adapted)
    after = _mean_error(tuned, block, inputs[judged], targets[judged])
    if after >= before:
        return TunedBlock(untuned, before, before)
    return TunedBlock(_state(tuned, names), before, after)


def _state(layer: nn.Module, names: Sequence[str]) -> dict[str, Tensor]:
    state = layer.state_dict()
    return {name: state[name].detach().clone() for name in names}


def _error(output_BTD: Tensor, target_BTD: Tensor, item: BlockInput) -> Tensor:
    """Return the squared error relative to what the original block adds to the residual stream."""
    added = (target_BTD - item.hidden_BTD).square().sum()
    return (output_BTD - target_BTD).square().sum() / added


@torch.no_grad()
def _mean_error(layer: nn.Module, block: BlockId, inputs: Sequence[BlockInput], targets: Sequence[Tensor]) -> float:
    errors = [
        _error(run_block(layer, block, item.hidden_BTD, item.encoder_BSD), target, item)
        for item, target in zip(inputs, targets, strict=True)
    ]
    return float(torch.stack(errors).mean()) if errors else 0.0

"""The layer-wise phase: one cut block, alone, learns to give the original block's output (AdaPTwin's parallel
fine-tuning).

LoRA adapters on the block's factors are trained through peft and merged, so the block keeps its size. Shape letters:
B batch, T positions, S encoder positions, D width.
"""

import copy
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from peft import LoraConfig, get_peft_model
from torch import Tensor, nn

from adaptwin_core.domain.plan import BlockId, BlockPlan
from adaptwin_core.ml.compression.factorize import CutBlock
from adaptwin_core.ml.model.adapter import attention_name, run_block
from adaptwin_core.ml.model.modeling_adaptwin import shrink
from adaptwin_core.ml.model.precision import quick_products

WARMUP_SHARE = 0.1
JUDGED_SHARE = 0.25  # of the windows: never trained on, they decide whether tuning helped
LORA_ALPHA_PER_RANK = 2  # scale 2 on every adapter, whatever its rank


@dataclass(frozen=True)
class BlockInput:
    """What reaches a block in the original model: hidden_BTD, and the encoder's output for cross-attention."""

    hidden_BTD: Tensor
    encoder_BSD: Tensor | None = None


@dataclass(frozen=True)
class TunedBlock:
    """`state` as in CutBlock; errors are relative squared errors of the block's contribution, before and after tuning,
    on the windows that tuning did not see.
    """

    state: dict[str, Tensor]
    error_before: float
    error_after: float


def build_cut_layer(original: nn.Module, block: BlockId, plan: BlockPlan, cut: CutBlock) -> nn.Module:
    """Return a copy of the original layer with the block's cut weights in place."""
    layer = copy.deepcopy(original)
    shrink(layer, attention_name(block), plan.model_dump(), has_ff=block.has_ff)
    missing = layer.load_state_dict(cut.state, strict=False).unexpected_keys
    assert not missing, missing
    return layer


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
    on_step: Callable[[int, float], None] = lambda _step, _loss: None,
) -> TunedBlock:
    """Train adapters on the cut block to match the original on the given inputs, merge them, and keep the better of
    the two.

    Args:
        inputs: one window each; outputs of the original block on them are the targets.
        on_step: called with the step and its loss; may raise to stop.
    """
    names = [name for name, _ in cut_layer.named_parameters() if name.startswith(_block_prefixes(block))]
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
    linears = [name for name, module in cut_layer.named_modules() if isinstance(module, nn.Linear)]
    adapted = get_peft_model(
        cut_layer,
        LoraConfig(
            r=lora_rank,
            lora_alpha=LORA_ALPHA_PER_RANK * lora_rank,
            target_modules=[name for name in linears if name.startswith(_block_prefixes(block))],
        ),
    )
    optimizer = torch.optim.AdamW(
        [p for p in adapted.parameters() if p.requires_grad], lr=learning_rate, weight_decay=0.0
    )
    schedule = cosine_schedule(optimizer, steps)
    for step in range(steps):
        index = order.randrange(num_trained)
        item = inputs[index]
        with quick_products(item.hidden_BTD.device):
            output_BTD = run_block(adapted.base_model.model, block, item.hidden_BTD, item.encoder_BSD)
        loss = _error(output_BTD.float(), targets[index], item)
        loss.backward()
        nn.utils.clip_grad_norm_(adapted.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        schedule.step()
        on_step(step + 1, float(loss.detach()))
    merged = adapted.merge_and_unload()
    after = _mean_error(merged, block, inputs[judged], targets[judged])
    if after >= before:
        return TunedBlock(untuned, before, before)
    return TunedBlock(_state(merged, names), before, after)


def cosine_schedule(optimizer: torch.optim.Optimizer, steps: int) -> torch.optim.lr_scheduler.LambdaLR:
    """Return a linear warm-up over the first tenth, then a cosine to zero."""
    warmup = max(1, int(WARMUP_SHARE * steps))

    def share(step: int) -> float:
        if step < warmup:
            return (step + 1) / (warmup + 1)
        return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))

    return torch.optim.lr_scheduler.LambdaLR(optimizer, share)


def _block_prefixes(block: BlockId) -> tuple[str, ...]:
    return (attention_name(block) + ".", *(("fc1", "fc2") if block.has_ff else ()))


def _state(layer: nn.Module, names: Sequence[str]) -> dict[str, Tensor]:
    state = layer.state_dict()
    return {name: state[name].detach().clone() for name in names}


def _error(output_BTD: Tensor, target_BTD: Tensor, item: BlockInput) -> Tensor:
    """Squared error relative to what the original block adds to the residual stream."""
    added = (target_BTD - item.hidden_BTD).square().sum()
    return (output_BTD - target_BTD).square().sum() / added


@torch.no_grad()
def _mean_error(layer: nn.Module, block: BlockId, inputs: Sequence[BlockInput], targets: Sequence[Tensor]) -> float:
    errors = [
        _error(run_block(layer, block, item.hidden_BTD, item.encoder_BSD), target, item)
        for item, target in zip(inputs, targets, strict=True)
    ]
    return float(torch.stack(errors).mean()) if errors else 0.0

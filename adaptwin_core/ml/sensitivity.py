"""What each size of each part of a block would cost: the error at the end of its half of the model, measured.

One part alone is cut in closed form, and the hidden states of a few windows run from the block to the end, through
original blocks otherwise. Shape letters: B batch, T positions, S encoder positions, D width, F neurons.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import WhisperForConditionalGeneration

from adaptwin_core.domain.allocation import Offer
from adaptwin_core.domain.plan import BlockId, BlockPlan, blocks_of
from adaptwin_core.ml.adapter import final_norm, layer_of, run_block, shape_of
from adaptwin_core.ml.factorize import factorize_block
from adaptwin_core.ml.layers import BlockInput, build_cut_layer


@dataclass(frozen=True)
class WeighedInput:
    """What reaches a block, and how much its error counts."""

    reaches: BlockInput
    weight: float


@torch.no_grad()
def measure_offers(
    model: WhisperForConditionalGeneration,
    block: BlockId,
    sizes: Sequence[tuple[str, int]],
    moments: dict[str, Tensor] | None,
    inputs: Sequence[WeighedInput],
    order_F: Tensor | None,
    *,
    on_offer: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[Offer]:
    """Return the loss of every size: weighted mean over windows of ‖cut - original‖² / ‖original‖² at the half's end.

    Args:
        sizes: (part, kept) as `allocation.offers_of` lists them.
        order_F: neurons, most needed first (`neurons.rank`).
        on_offer: called with offers done and in all; may raise to stop.
    """
    following = _from(model, block)
    layer, norm = layer_of(model, block), final_norm(model, block.part)
    targets = [_run(following, norm, layer, item.reaches) for item in inputs]
    total_weight = sum(item.weight for item in inputs)
    offers = []
    for index, (part, kept) in enumerate(sizes):
        plan = BlockPlan.model_validate({part: kept})
        factors = factorize_block(layer, block, plan, moments, order_F)
        cut = build_cut_layer(layer, block, plan, factors).to(model.device)
        lost = 0.0
        for item, target_BTD in zip(inputs, targets, strict=True):
            error = (_run(following, norm, cut, item.reaches) - target_BTD).square().sum() / target_BTD.square().sum()
            lost += item.weight * float(error)
        offers.append(Offer(part=part, kept=kept, loss=lost / total_weight))
        on_offer(index + 1, len(sizes))
    return offers


def _from(model: WhisperForConditionalGeneration, block: BlockId) -> list[tuple[BlockId, nn.Module]]:
    blocks = blocks_of(shape_of(model.config), block.part)
    return [(later, layer_of(model, later)) for later in blocks[blocks.index(block) :]]


def _run(following: Sequence[tuple[BlockId, nn.Module]], norm: nn.Module, first: nn.Module, item: BlockInput) -> Tensor:
    """Run from a block to the end of its half, with `first` in the place of that block's layer."""
    hidden_BTD = item.hidden_BTD
    for index, (block, layer) in enumerate(following):
        hidden_BTD = run_block(layer if index else first, block, hidden_BTD, item.encoder_BSD)
    ended: Tensor = norm(hidden_BTD)
    return ended

"""What each size of each part of a block would cost: the error at the end of its half of the model, measured.

One part alone is cut in closed form, and the error at the block's own end is taken on a few windows. How much the rest
of the model makes of it changes little with the size: three sizes of each part are run on to the end through original
blocks, and the gain of the others lies between theirs. Shape letters: B batch, T positions, S encoder positions, D
width, F neurons.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from transformers import WhisperForConditionalGeneration

from adaptwin_core.domain.plan import BlockPlan, Part
from adaptwin_core.domain.progress import Progress, silent
from adaptwin_core.domain.sensitivity import Sensitivity
from adaptwin_core.domain.shape import BlockId, blocks_of
from adaptwin_core.ml.compression.cut_layer import BlockInput, build_cut_layer
from adaptwin_core.ml.compression.factorization import factorize_block
from adaptwin_core.ml.compression.moments import BlockMoments
from adaptwin_core.ml.model.adapter import final_norm, layer_of, run_block, shape_of

LEAST_ERROR = 1e-12  # float32 rounding: a cut that loses nothing has a gain, too


@dataclass(frozen=True)
class WeighedInput:
    """What reaches a block, and how much its error counts."""

    reaches: BlockInput
    weight: float


@torch.no_grad()
def measure_sensitivities(
    model: WhisperForConditionalGeneration,
    block: BlockId,
    sizes: Sequence[tuple[Part, int]],
    moments: BlockMoments | None,
    inputs: Sequence[WeighedInput],
    order_F: Tensor | None,
    *,
    progress: Progress = silent,
) -> list[Sensitivity]:
    """Return the loss of every size: weighted mean over windows of ‖cut - original‖² / ‖original‖² at the half's end,
    measured or from the gain of its neighbours.

    Args:
        sizes: (part, kept) as `domain.sensitivity.sizes_of` lists them.
        order_F: neurons, most needed first (`neurons.rank`).
        progress: told of sizes.
    """
    following = _from(model, block)
    layer, norm = layer_of(model, block), final_norm(model, block.half)
    near = [run_block(layer, block, item.reaches.hidden_BTD, item.reaches.encoder_BSD) for item in inputs]
    far = [
        _to_the_end(following, norm, hidden_BTD, item.reaches) for hidden_BTD, item in zip(near, inputs, strict=True)
    ]
    total_weight = sum(item.weight for item in inputs)
    own: list[float] = []
    ended: dict[int, float] = {}
    run_on = _run_on(sizes)
    for index, (part, kept) in enumerate(sizes):
        plan = BlockPlan.model_validate({part: kept})
        factors = factorize_block(layer, block, plan, moments, order_F)
        cut = build_cut_layer(layer, block, plan, factors).to(model.device)
        errors_own = errors_ended = 0.0
        for item, near_BTD, far_BTD in zip(inputs, near, far, strict=True):
            hidden_BTD = run_block(cut, block, item.reaches.hidden_BTD, item.reaches.encoder_BSD)
            errors_own += item.weight * _error(hidden_BTD, near_BTD)
            if index in run_on:
                errors_ended += item.weight * _error(_to_the_end(following, norm, hidden_BTD, item.reaches), far_BTD)
        own.append(max(errors_own / total_weight, LEAST_ERROR))
        if index in run_on:
            ended[index] = max(errors_ended / total_weight, LEAST_ERROR)
        progress(index + 1, len(sizes))
    return [
        Sensitivity(part=part, kept=kept, loss=own[index] * _gain(index, sizes, own, ended))
        for index, (part, kept) in enumerate(sizes)
    ]


def _run_on(sizes: Sequence[tuple[str, int]]) -> set[int]:
    """Return the sizes that are run on to the end: of each part the first, the middle and the last."""
    chosen = set()
    for part in dict.fromkeys(part for part, _ in sizes):
        mine = [index for index, (of, _) in enumerate(sizes) if of == part]
        chosen |= {mine[0], mine[len(mine) // 2], mine[-1]}
    return chosen


def _gain(index: int, sizes: Sequence[tuple[str, int]], own: Sequence[float], ended: dict[int, float]) -> float:
    """Return how much the rest of the model makes of one size's error, from its part's sizes that were run on."""
    measured = [i for i in ended if sizes[i][0] == sizes[index][0]]
    gains = np.log([ended[i] / own[i] for i in measured])
    return float(np.exp(np.interp(index, measured, gains)))


def _error(found_BTD: Tensor, wanted_BTD: Tensor) -> float:
    return float((found_BTD - wanted_BTD).square().sum() / wanted_BTD.square().sum())


def _from(model: WhisperForConditionalGeneration, block: BlockId) -> list[tuple[BlockId, nn.Module]]:
    blocks = blocks_of(shape_of(model.config), block.half)
    return [(later, layer_of(model, later)) for later in blocks[blocks.index(block) + 1 :]]


def _to_the_end(
    following: Sequence[tuple[BlockId, nn.Module]], norm: nn.Module, hidden_BTD: Tensor, item: BlockInput
) -> Tensor:
    """Run what leaves a block to the end of its half."""
    for block, layer in following:
        hidden_BTD = run_block(layer, block, hidden_BTD, item.encoder_BSD)
    ended: Tensor = norm(hidden_BTD)
    return ended

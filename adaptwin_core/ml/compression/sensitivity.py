"""Measure the sensitivity of a block: the loss at the end of its half when one part is cut to each of its sizes.

One part alone is cut in closed form, and its error is taken at the block's own end:

    e = ‖cut - original‖² / ‖original‖²

The layers that follow turn e into the error E at the end of the half. Their gain E / e changes little with the size. So
three sizes of each part are run through the following original blocks, and the logarithm of the gain is interpolated
between them for the others. Shape letters: B batch, T positions, S encoder positions, D width, F neurons.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from transformers import WhisperForConditionalGeneration

from adaptwin_core.domain.plan import BlockPlan, Part
from adaptwin_core.domain.progress import Progress, no_progress
from adaptwin_core.domain.sensitivity import Sensitivity
from adaptwin_core.domain.shape import BlockId, blocks_of
from adaptwin_core.ml.compression.cut_layer import BlockInput, build_cut_layer
from adaptwin_core.ml.compression.factorization import factorize_block
from adaptwin_core.ml.compression.moments import BlockMoments
from adaptwin_core.ml.model.adapter import final_norm, layer_of, run_block, shape_of

LEAST_ERROR = 1e-12  # about float32's rounding: a cut without loss needs a gain too

Size = tuple[Part, int]  # part, and how much of it is kept


@dataclass(frozen=True)
class WeighedInput:
    """One window as it reaches a block, and the weight of its error."""

    reaches: BlockInput
    weight: float


@torch.no_grad()
def measure_sensitivities(
    model: WhisperForConditionalGeneration,
    block: BlockId,
    sizes: Sequence[Size],
    moments: BlockMoments | None,
    inputs: Sequence[WeighedInput],
    order_F: Tensor | None,
    *,
    progress: Progress = no_progress,
) -> list[Sensitivity]:
    """Return the loss of every size: E, measured or interpolated, as the weighted mean over the inputs.

    Args:
        sizes: as `domain.sensitivity.sizes_of` lists them.
        moments: as for `factorize_block`.
        order_F: neurons, most needed first (`neurons.rank`).
        progress: told of sizes.
    """
    layer, rest = layer_of(model, block), _Rest.after(model, block)
    where = inputs[0].reaches.hidden_BTD.device  # only the layers that are used may have numbers
    own_ends = [run_block(layer, block, item.reaches.hidden_BTD, item.reaches.encoder_BSD) for item in inputs]
    half_ends = [rest.run(hidden_BTD, item.reaches) for hidden_BTD, item in zip(own_ends, inputs, strict=True)]
    total_weight = sum(item.weight for item in inputs)
    own_errors: list[float] = []
    half_errors: dict[int, float] = {}  # by the size's index
    run_on = _sizes_to_run_on(sizes)
    for index, (part, kept) in enumerate(sizes):
        plan = BlockPlan.model_validate({part: kept})
        factors = factorize_block(layer, block, plan, moments, order_F)
        cut = build_cut_layer(layer, block, plan, factors).to(where)
        own_error = half_error = 0.0
        for item, own_BTD, half_BTD in zip(inputs, own_ends, half_ends, strict=True):
            hidden_BTD = run_block(cut, block, item.reaches.hidden_BTD, item.reaches.encoder_BSD)
            own_error += item.weight * _error(hidden_BTD, own_BTD)
            if index in run_on:
                half_error += item.weight * _error(rest.run(hidden_BTD, item.reaches), half_BTD)
        own_errors.append(max(own_error / total_weight, LEAST_ERROR))
        if index in run_on:
            half_errors[index] = max(half_error / total_weight, LEAST_ERROR)
        progress(index + 1, len(sizes))
    return [
        Sensitivity(part=part, kept=kept, loss=own_errors[index] * _gain(index, sizes, own_errors, half_errors))
        for index, (part, kept) in enumerate(sizes)
    ]


@dataclass(frozen=True)
class _Rest:
    """What follows a block in its half of the model."""

    blocks: Sequence[tuple[BlockId, nn.Module]]
    norm: nn.Module

    @classmethod
    def after(cls, model: WhisperForConditionalGeneration, block: BlockId) -> "_Rest":
        blocks = blocks_of(shape_of(model.config), block.half)
        later = blocks[blocks.index(block) + 1 :]
        return cls([(each, layer_of(model, each)) for each in later], final_norm(model, block.half))

    def run(self, hidden_BTD: Tensor, item: BlockInput) -> Tensor:
        """Return what leaves the half where `hidden_BTD` leaves the block."""
        for block, layer in self.blocks:
            hidden_BTD = run_block(layer, block, hidden_BTD, item.encoder_BSD)
        ended_BTD: Tensor = self.norm(hidden_BTD)
        return ended_BTD


def _sizes_to_run_on(sizes: Sequence[Size]) -> set[int]:
    """Return the indices of the sizes that are run to the end of the half: each part's first, middle and last."""
    chosen = set()
    for part in dict.fromkeys(part for part, _ in sizes):
        mine = [index for index, (of, _) in enumerate(sizes) if of == part]
        chosen |= {mine[0], mine[len(mine) // 2], mine[-1]}
    return chosen


def _gain(index: int, sizes: Sequence[Size], own: Sequence[float], ended: dict[int, float]) -> float:
    """Return E / e of one size, interpolated between the sizes of its part for which both were measured."""
    measured = [i for i in ended if sizes[i][0] == sizes[index][0]]
    gains = np.log([ended[i] / own[i] for i in measured])
    return float(np.exp(np.interp(index, measured, gains)))


def _error(found_BTD: Tensor, wanted_BTD: Tensor) -> float:
    return float((found_BTD - wanted_BTD).square().sum() / wanted_BTD.square().sum())

"""How much each part of a block costs when it is cut alone: which sizes are measured, and what a measurement holds."""

import math
from collections.abc import Mapping, Sequence

from adaptwin_core.domain.frozen import Frozen
from adaptwin_core.domain.plan import Part
from adaptwin_core.domain.shape import BlockId, Half, ModelShape

SIZE_STEP = 8  # kernels and runtimes are fastest at multiples of 8
SMALL_HEAD = 16  # heads up to this size (test models) step by 1
# The smallest share that is measured of each part: below it losses rise steeply.
LEAST_HEADS, LEAST_QK, LEAST_VO, LEAST_NEURONS = 0.5, 0.25, 0.375, 0.125
FINE_HEADS = 8  # a model of more heads than this is measured at every second number of them
NEURON_SIZES = 8  # even steps of the neurons that are measured; between two of them the loss is taken as linear
NEURON_STEPS = 8  # steps that the plan may take between two measured numbers of neurons


class Sensitivity(Frozen):
    """The loss when one part of one block keeps `kept` and nothing else is cut.

    `loss` is the relative squared error at the end of the block's half of the model.
    """

    part: Part
    kept: int
    loss: float


Sensitivities = Mapping[str, Sequence[Sensitivity]]  # by block name


def sizes_of(shape: ModelShape, block: BlockId) -> list[tuple[Part, int]]:
    """Return the sizes to measure for a block, as (part, kept)."""
    size = shape.head_size(block.half)
    step = size_step(size)
    sizes: list[tuple[Part, int]] = [("heads", kept) for kept in fewer_heads(shape, block.half)]
    sizes += [("qk", kept) for kept in range(size - step, int(LEAST_QK * size) - 1, -step)]
    sizes += [("vo", kept) for kept in range(size - step, int(LEAST_VO * size) - 1, -step)]
    if not block.has_ff:
        return sizes
    neurons = shape.ffn(block.half)
    counts = [rounded_neurons(neurons * i // NEURON_SIZES, neurons) for i in range(NEURON_SIZES - 1, 0, -1)]
    return sizes + [("neurons", kept) for kept in counts if kept >= LEAST_NEURONS * neurons]


def fewer_heads(shape: ModelShape, half: Half) -> list[int]:
    """Return the numbers of heads to measure, largest first.

    A decoder keeps all its heads, since some of them tell when a word was said.
    """
    if half == "decoder":
        return []
    heads = shape.heads(half)
    step = 1 if heads <= FINE_HEADS else 2
    return list(range(heads - step, math.ceil(LEAST_HEADS * heads) - 1, -step))


def size_step(size: int) -> int:
    """Return the step between the sizes of something that has `size` columns."""
    return SIZE_STEP if size > SMALL_HEAD else 1


def rounded_neurons(count: int, neurons: int) -> int:
    """Return `count` rounded down to a size that runtimes like, for a feed-forward that has `neurons`."""
    step = SIZE_STEP if neurons >= SIZE_STEP * NEURON_SIZES * NEURON_STEPS else 1
    return count // step * step

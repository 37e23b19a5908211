"""Where to take parameters from: for one budget, the sizes of all parts with the least loss in sum.

Every part of every block offers sizes, each with what it loses, measured alone. Losses of parts cut together add up
nearly; parameters do not within an attention, where heads and their columns multiply, so its offers are every
combination of the three. On the lower convex hull of such a curve each further step saves at a worse rate, so the best
choice takes steps of all curves in the order of their rates until the budget is met (Lagrange; Everett 1963).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import NamedTuple

from adaptwin_core.domain.errors import InvalidSpec
from adaptwin_core.domain.plan import BlockId, BlockPlan, ModelShape, Part, block_params
from adaptwin_core.domain.spec import Frozen

SIZE_STEP = 8  # kernels and runtimes like multiples of 8
SMALL_HEAD = 16  # heads up to this size (test models) step by 1
# The least that is offered: losses rise steeply below.
LEAST_HEADS, LEAST_QK, LEAST_VO, LEAST_NEURONS = 0.5, 0.25, 0.375, 0.125
FINE_HEADS = 8  # up to so many are offered one by one; of more, two at a time
NEURON_OFFERS = 8  # even steps of the neurons that are measured; between two of them losses are taken as straight
NEURON_STEPS = 8  # steps that the plan may take between two offers


class Offer(Frozen):
    """A part of one block at one size, and the relative squared error of its half's output when it alone is cut."""

    part: str  # heads, qk, vo or neurons
    kept: int
    loss: float


Price = Callable[[ModelShape, BlockId, BlockPlan], int]
Sizes = dict[str, int | None]  # by part; None is whole
Curve = list[tuple[Sizes, float]]  # sizes of what shrinks together, and their loss; the first is where it starts


@dataclass(frozen=True)
class Allocation:
    """What each block keeps, and the sum of the losses."""

    blocks: dict[str, BlockPlan]
    loss: float


class _Step(NamedTuple):
    rate: float  # loss for each unit of the price saved
    saved: int  # parameters
    lost: float
    block: str
    sizes: Sizes


def offers_of(shape: ModelShape, block: BlockId) -> list[tuple[str, int]]:
    """Return the sizes to measure for a block, as (part, kept)."""
    size = shape.head_size(block.part)
    step = size_step(size)
    sizes = [("heads", kept) for kept in fewer_heads(shape, block.part)]
    sizes += [("qk", kept) for kept in range(size - step, int(LEAST_QK * size) - 1, -step)]
    sizes += [("vo", kept) for kept in range(size - step, int(LEAST_VO * size) - 1, -step)]
    if not block.has_ff:
        return sizes
    neurons = shape.ffn(block.part)
    counts = [_rounded(neurons * i // NEURON_OFFERS, neurons) for i in range(NEURON_OFFERS - 1, 0, -1)]
    return sizes + [("neurons", kept) for kept in counts if kept >= LEAST_NEURONS * neurons]


def fewer_heads(shape: ModelShape, part: Part) -> list[int]:
    """Return the numbers of heads that are offered. A decoder keeps its own: its heads tell when words were said."""
    if part == "decoder":
        return []
    heads = shape.heads(part)
    step = 1 if heads <= FINE_HEADS else 2
    return list(range(heads - step, math.ceil(LEAST_HEADS * heads) - 1, -step))


def size_step(size: int) -> int:
    return SIZE_STEP if size > SMALL_HEAD else 1


def allocate(
    shape: ModelShape,
    offers: Mapping[str, Sequence[Offer]],
    budget: int,
    *,
    equal_heads: bool = False,
    num_heads: int | None = None,
    price: Price = block_params,
) -> Allocation:
    """Return what each block keeps so that at least `budget` parameters go, at the least measured loss.

    Args:
        offers: by block name.
        equal_heads: give QK and VO the same size, as some runtimes need.
        num_heads: keep this many heads in every block, as some runtimes need; None lets each have its own.
        price: what a block costs that the plan should save most of for its loss: parameters, or work.

    Raises:
        InvalidSpec: all offers together do not save that much.
    """
    steps: list[_Step] = []
    starts: list[_Step] = []
    for name, of_block in offers.items():
        for curve in _curves(of_block, equal_heads=equal_heads, num_heads=num_heads):
            start, *further = _steps(shape, name, curve, price)
            starts.append(start)
            steps += further
    steps.sort(key=lambda step: step.rate)  # stable: of one curve the smaller cut stays first
    blocks = {name: BlockPlan() for name in offers}
    left, lost = budget, 0.0
    for index, step in enumerate([*starts, *steps]):
        if left <= 0 and index >= len(starts):
            break
        blocks[step.block] = blocks[step.block].model_copy(update=step.sizes)
        left, lost = left - step.saved, lost + step.lost
    if left > 0:
        raise InvalidSpec(f"a cut of {budget:,} parameters is out of reach for this model: ask for a smaller cut")
    return Allocation(blocks, lost)


def _curves(offers: Sequence[Offer], *, equal_heads: bool, num_heads: int | None) -> list[Curve]:
    """Return the curves of what shrinks on its own: the attention, and the feed-forward."""
    by_part: dict[str, dict[int | None, float]] = {part: {None: 0.0} for part in ("heads", "qk", "vo", "neurons")}
    for offer in offers:
        by_part[offer.part][offer.kept] = offer.loss
    heads, qk, vo, neurons = by_part.values()
    if num_heads is not None:
        heads = {kept: loss for kept, loss in heads.items() if kept == num_heads} or {None: 0.0}
    attention = [
        ({"heads": h, "qk": q, "vo": v}, heads[h] + qk[q] + vo[v])
        for h, q, v in product(heads, qk, vo)
        if q == v or not equal_heads
    ]
    return [attention, [({"neurons": kept}, loss) for kept, loss in neurons.items()]]


def _steps(shape: ModelShape, name: str, curve: Curve, price: Price) -> list[_Step]:
    """Return where a curve starts, and the steps from there along its lower convex hull."""
    block = BlockId.parse(name)

    def saved(sizes: Sizes, price: Price) -> int:
        kept = BlockPlan().model_copy(update=sizes)
        return price(shape, block, BlockPlan()) - price(shape, block, kept)

    points = [(saved(sizes, price), loss, sizes) for sizes, loss in curve]
    hull = points[:1]
    while further := [point for point in points if point[0] > hull[-1][0]]:
        x, y, _ = hull[-1]
        hull.append(min(further, key=lambda p: ((p[1] - y) / (p[0] - x), -p[0])))
    _, lost, sizes = hull[0]
    steps = [_Step(0.0, saved(sizes, block_params), lost, name, sizes)]
    for (x, y, before), (next_x, next_y, after) in pairwise(hull):
        rate = (next_y - y) / (next_x - x)
        done, price_done = saved(before, block_params), x
        for sizes in _between(shape, block, before, after):
            params, paid = saved(sizes, block_params), saved(sizes, price)
            steps.append(_Step(rate, params - done, rate * (paid - price_done), name, sizes))
            done, price_done = params, paid
    return steps


def _between(shape: ModelShape, block: BlockId, before: Sizes, after: Sizes) -> list[Sizes]:
    """Return the sizes from one hull point to the next: neurons go in small steps, an attention at once."""
    end = after.get("neurons")
    if end is None:
        return [after]
    neurons = shape.ffn(block.part)
    start = before["neurons"] or neurons
    counts = [_rounded(start + (end - start) * i // NEURON_STEPS, neurons) for i in range(1, NEURON_STEPS)]
    return [{"neurons": kept} for kept in dict.fromkeys([*counts, end]) if end <= kept < start]


def _rounded(count: int, neurons: int) -> int:
    step = SIZE_STEP if neurons >= SIZE_STEP * NEURON_OFFERS * NEURON_STEPS else 1
    return count // step * step

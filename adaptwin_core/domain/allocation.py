"""Where to take parameters from: the sizes of all parts with the least total loss for one budget.

Each part of each block has a curve of loss over size, measured alone. The losses of parts that are cut together add up
nearly. Parameters do not add up within an attention, where heads and their columns multiply, so its curve runs over
every combination of heads, qk and vo. Along the lower convex hull of a curve each further step costs more loss for
each parameter saved. So the best choice takes the steps of all curves in the order of that rate until the budget is
met (Lagrange multipliers; Everett 1963).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import NamedTuple

from adaptwin_core.domain.errors import InvalidSpec
from adaptwin_core.domain.plan import BlockPlan, block_params
from adaptwin_core.domain.sensitivity import NEURON_STEPS, Sensitivities, Sensitivity, rounded_neurons
from adaptwin_core.domain.shape import BlockId, ModelShape

Price = Callable[[ModelShape, BlockId, BlockPlan], int]
Sizes = dict[str, int | None]  # by part; None leaves it whole
Curve = list[tuple[Sizes, float]]  # sizes of parts that shrink together, and their loss; the first is the start


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


def allocate(
    shape: ModelShape,
    sensitivities: Sensitivities,
    budget: int,
    *,
    equal_heads: bool = False,
    num_heads: int | None = None,
    price: Price = block_params,
) -> Allocation:
    """Return what each block keeps so that at least `budget` parameters go, at the least measured loss.

    Args:
        equal_heads: give QK and VO the same size, as some runtimes need.
        num_heads: keep this many heads in every block, as some runtimes need; None lets each have its own.
        price: what the plan should save the most of for its loss: a block's parameters, or its work.

    Raises:
        InvalidSpec: the smallest measured sizes do not save that much.
    """
    steps: list[_Step] = []
    starts: list[_Step] = []
    for name, of_block in sensitivities.items():
        for curve in _curves(of_block, equal_heads=equal_heads, num_heads=num_heads):
            start, *further = _steps(shape, name, curve, price)
            starts.append(start)
            steps += further
    steps.sort(key=lambda step: step.rate)  # stable: steps of one curve stay in their order
    blocks = {name: BlockPlan() for name in sensitivities}
    left, lost = budget, 0.0
    for index, step in enumerate([*starts, *steps]):
        if left <= 0 and index >= len(starts):
            break
        blocks[step.block] = blocks[step.block].model_copy(update=step.sizes)
        left, lost = left - step.saved, lost + step.lost
    if left > 0:
        raise InvalidSpec(f"a cut of {budget:,} parameters is out of reach for this model: ask for a smaller cut")
    return Allocation(blocks, lost)


def _curves(of_block: Sequence[Sensitivity], *, equal_heads: bool, num_heads: int | None) -> list[Curve]:
    """Return one curve for the attention and one for the feed-forward: each shrinks on its own."""
    by_part: dict[str, dict[int | None, float]] = {part: {None: 0.0} for part in ("heads", "qk", "vo", "neurons")}
    for found in of_block:
        by_part[found.part][found.kept] = found.loss
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
    """Return the start of a curve, and the steps from there along its lower convex hull."""
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
    """Return the sizes from one hull point to the next: neurons shrink in small steps, an attention in one."""
    end = after.get("neurons")
    if end is None:
        return [after]
    neurons = shape.ffn(block.half)
    start = before["neurons"] or neurons
    counts = [rounded_neurons(start + (end - start) * i // NEURON_STEPS, neurons) for i in range(1, NEURON_STEPS)]
    return [{"neurons": kept} for kept in dict.fromkeys([*counts, end]) if end <= kept < start]

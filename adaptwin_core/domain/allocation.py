"""Where to take parameters from: for one budget, the sizes of all parts with the least loss in sum.

Every part of every block offers sizes, each with the parameters it saves and what it loses, measured alone. Losses of
parts cut together add up nearly. On the lower convex hull of a part's offers each further step saves at a worse rate,
so the best choice takes steps of all parts in the order of their rates until the budget is met (Lagrange; Everett
1963).
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from adaptwin_core.domain.errors import InvalidSpec
from adaptwin_core.domain.plan import BlockId, BlockPlan, ModelShape, block_params
from adaptwin_core.domain.spec import Frozen

SIZE_STEP = 8  # kernels and runtimes like multiples of 8
SMALL_HEAD = 16  # heads up to this size (test models) step by 1
# The least that is offered: losses rise steeply below.
LEAST_QK, LEAST_VO, LEAST_NEURONS = 0.25, 0.375, 0.125
NEURON_OFFERS = 8  # even steps of the neurons that are measured; between two of them losses are taken as straight
NEURON_STEPS = 8  # steps that the plan may take between two offers


class Offer(Frozen):
    """A part of one block at one size, and the relative squared error of its half's output when it alone is cut."""

    part: str  # qk, vo or neurons
    kept: int
    loss: float


Price = Callable[[ModelShape, BlockId, BlockPlan], int]


class _Step(NamedTuple):
    rate: float  # loss for each unit of the price saved
    saved: int  # parameters
    block: str
    sizes: dict[str, int]


def offers_of(shape: ModelShape, block: BlockId) -> list[tuple[str, int]]:
    """Return the sizes to measure for a block, as (part, kept)."""
    size = shape.head_size(block.part)
    step = size_step(size)
    heads = [("qk", kept) for kept in range(size - step, int(LEAST_QK * size) - 1, -step)]
    heads += [("vo", kept) for kept in range(size - step, int(LEAST_VO * size) - 1, -step)]
    if not block.has_ff:
        return heads
    neurons = shape.ffn(block.part)
    counts = [_rounded(neurons * i // NEURON_OFFERS, neurons) for i in range(NEURON_OFFERS - 1, 0, -1)]
    return heads + [("neurons", kept) for kept in counts if kept >= LEAST_NEURONS * neurons]


def size_step(size: int) -> int:
    return SIZE_STEP if size > SMALL_HEAD else 1


def allocate(
    shape: ModelShape,
    offers: Mapping[str, Sequence[Offer]],
    budget: int,
    *,
    equal_heads: bool = False,
    price: Price = block_params,
) -> dict[str, BlockPlan]:
    """Return what each block keeps so that at least `budget` parameters go, at the least measured loss.

    Args:
        offers: by block name.
        equal_heads: give QK and VO the same size, as some runtimes need.
        price: what a block costs that the plan should save most of for its loss: parameters, or multiplications.

    Raises:
        InvalidSpec: all offers together do not save that much.
    """
    steps: list[_Step] = []
    for name, of_block in offers.items():
        for curve in _curves(of_block, equal_heads=equal_heads):
            steps += _steps(shape, name, curve, price)
    steps.sort(key=lambda step: step.rate)  # stable: of one curve the smaller cut stays first
    plans = {name: BlockPlan() for name in offers}
    left = budget
    for step in steps:
        if left <= 0:
            break
        plans[step.block] = plans[step.block].model_copy(update=step.sizes)
        left -= step.saved
    if left > 0:
        raise InvalidSpec(f"a cut of {budget:,} parameters is out of reach for this model: ask for a smaller cut")
    return plans


def _curves(offers: Sequence[Offer], *, equal_heads: bool) -> list[list[tuple[dict[str, int], float]]]:
    """Return one list of (sizes, loss) for each thing that shrinks on its own."""
    by_part: dict[str, dict[int, float]] = {}
    for offer in offers:
        by_part.setdefault(offer.part, {})[offer.kept] = offer.loss
    if equal_heads:
        qk, vo = by_part.pop("qk"), by_part.pop("vo")
        heads = [({"qk": kept, "vo": kept}, qk[kept] + vo[kept]) for kept in qk if kept in vo]
    else:
        heads = []
    curves = [[({part: kept}, loss) for kept, loss in sizes.items()] for part, sizes in by_part.items()]
    return [curve for curve in [*curves, heads] if curve]


def _steps(shape: ModelShape, name: str, curve: Sequence[tuple[dict[str, int], float]], price: Price) -> list[_Step]:
    """Return the steps along the lower convex hull of one curve."""
    block = BlockId.parse(name)

    def saved(sizes: dict[str, int], price: Price) -> int:
        kept = BlockPlan().model_copy(update=sizes)
        return price(shape, block, BlockPlan()) - price(shape, block, kept)

    priced = [(saved(sizes, price), loss, sizes) for sizes, loss in curve]
    points = sorted(point for point in priced if point[0] > 0)
    hull: list[tuple[int, float, dict[str, int]]] = [(0, 0.0, {})]
    while hull[-1][0] < points[-1][0]:
        x, y, _ = hull[-1]
        hull.append(min((p for p in points if p[0] > x), key=lambda p: ((p[1] - y) / (p[0] - x), -p[0])))
    steps = []
    for (x, y, before), (next_x, next_y, after) in pairwise(hull):
        rate = (next_y - y) / (next_x - x)
        done = saved(before, block_params)
        for sizes in _between(shape, block, before, after):
            params = saved(sizes, block_params)
            steps.append(_Step(rate, params - done, name, sizes))
            done = params
    return steps


def _between(shape: ModelShape, block: BlockId, before: dict[str, int], after: dict[str, int]) -> list[dict[str, int]]:
    """Return the sizes from one hull point to the next: neurons go in small steps, heads at once."""
    if "neurons" not in after:
        return [after]
    neurons = shape.ffn(block.part)
    start, end = before.get("neurons", neurons), after["neurons"]
    counts = [_rounded(start + (end - start) * i // NEURON_STEPS, neurons) for i in range(1, NEURON_STEPS)]
    return [{"neurons": kept} for kept in dict.fromkeys([*counts, end]) if end <= kept < start]


def _rounded(count: int, neurons: int) -> int:
    step = SIZE_STEP if neurons >= SIZE_STEP * NEURON_OFFERS * NEURON_STEPS else 1
    return count // step * step

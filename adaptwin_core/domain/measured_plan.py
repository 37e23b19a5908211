"""The measured plan: it takes parameters where the speech says that they are missed least."""

from contextlib import suppress

from adaptwin_core.domain.allocation import Allocation, allocate
from adaptwin_core.domain.errors import InvalidSpec
from adaptwin_core.domain.plan import BlockPlan, block_work, params_removed, whole_params
from adaptwin_core.domain.sensitivity import Sensitivities, Sensitivity, fewer_heads, sizes_of
from adaptwin_core.domain.shape import BlockId, Half, ModelShape, blocks_of
from adaptwin_core.domain.spec import CompressionSpec

# In a plan for a runtime twice the speed is worth four times the loss before tuning. Of Whisper base this takes 6 heads
# of 8 at a cut of 45 % (a quarter faster than all 8, for 6 % more loss), and all 8 at a cut of 20 %.
SPEED_WORTH = 2
MUCH_MORE = 0.01  # of the layers' parameters: a plan may remove this much more than the one that removes least


def measured_plan(
    spec: CompressionSpec, shape: ModelShape, half: Half, budget: int, sensitivities: Sensitivities | None
) -> dict[str, BlockPlan]:
    """Return the plan of one half that removes `budget` parameters at the least measured loss.

    Args:
        sensitivities: of every block; None takes every size to lose nothing.

    Raises:
        InvalidSpec: the budget is out of reach.
    """
    of_half = {
        str(block): _lossless(shape, block) if sensitivities is None else sensitivities[str(block)]
        for block in blocks_of(shape, half)
    }
    if spec.plan_for == "ctranslate2":
        return _for_ctranslate2(shape, half, of_half, budget)
    return allocate(shape, of_half, budget, equal_heads=spec.equal_heads).blocks


def _lossless(shape: ModelShape, block: BlockId) -> list[Sensitivity]:
    return [Sensitivity(part=part, kept=kept, loss=0.0) for part, kept in sizes_of(shape, block)]


def _for_ctranslate2(shape: ModelShape, half: Half, of_half: Sensitivities, budget: int) -> dict[str, BlockPlan]:
    """Return the plan of the number of heads that minimizes loss · work^`SPEED_WORTH`.

    CTranslate2 pads the smaller of a layer's two head sizes and takes one number of heads for all layers. It gives each
    core whole heads, so an odd number leaves cores idle.
    """

    def cost(found: Allocation) -> float:
        work = sum(block_work(shape, BlockId.parse(name), kept) for name, kept in found.blocks.items())
        return found.loss * float(work) ** SPEED_WORTH

    def removed(found: Allocation) -> int:
        return sum(params_removed(shape, BlockId.parse(name), kept) for name, kept in found.blocks.items())

    def with_heads(num_heads: int) -> Allocation:
        return allocate(shape, of_half, budget, equal_heads=True, num_heads=num_heads, price=block_work)

    *more, fewest = (shape.heads(half), *(heads for heads in fewer_heads(shape, half) if heads % 2 == 0))
    found = [with_heads(fewest)]  # raises where the budget is out of reach for every number of heads
    for num_heads in more:
        with suppress(InvalidSpec):
            found.append(with_heads(num_heads))
    # Dropping a head from all layers may remove much more than was asked: such plans are left out.
    most = min(map(removed, found)) + MUCH_MORE * sum(whole_params(shape, BlockId.parse(name)) for name in of_half)
    return min((one for one in found if removed(one) <= most), key=cost).blocks

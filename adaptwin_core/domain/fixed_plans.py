"""Plans that need no measurement: given ranks, the uniform plan and the successive plan."""

import math
from collections.abc import Sequence

from adaptwin_core.domain.budgets import budget_of
from adaptwin_core.domain.errors import InvalidSpec
from adaptwin_core.domain.plan import BlockPlan, params_removed
from adaptwin_core.domain.sensitivity import size_step
from adaptwin_core.domain.shape import BlockId, Half, ModelShape, blocks_of
from adaptwin_core.domain.spec import SpectralRanks

# Shares of a head that the uniform plan keeps at a cut of DEEP_CUT or more: QK tolerates much, VO little.
DEEP_CUT = 0.45
QK_SHARE, VO_SHARE = 0.375, 0.75
# The least that a layer of the successive plan keeps of its heads and its width: about a third of its parameters.
SUCCESSIVE_QK_SHARE, SUCCESSIVE_VO_SHARE, SUCCESSIVE_FF_SHARE = 0.25, 0.5, 0.25


def given_ranks(ranks: SpectralRanks, shape: ModelShape, half: Half) -> dict[str, BlockPlan]:
    """Return the same given ranks for every block of a half. Raises InvalidSpec where one exceeds what it cuts."""
    heads = ranks.heads if half == "encoder" else None
    neurons = shape.ffn(half)
    for name, rank, largest in (
        ("heads", heads, shape.heads(half)),
        ("qk", ranks.qk, shape.head_size(half)),
        ("vo", ranks.vo, shape.head_size(half)),
        ("neurons", ranks.neurons, neurons),
        ("ff", ranks.ff, min(shape.d_model, ranks.neurons or neurons)),
    ):
        if rank is not None and rank > largest:
            raise InvalidSpec(f"{name}={rank} is more than the {largest} that this model has")
    plan = BlockPlan(heads=heads, qk=ranks.qk, vo=ranks.vo, neurons=ranks.neurons, fc1=ranks.ff, fc2=ranks.ff)
    return {str(block): plan.for_block(block) for block in blocks_of(shape, half)}


def uniform_plan(shape: ModelShape, half: Half, cut: float) -> dict[str, BlockPlan]:
    """Return the plan that gives every block of a half the same ranks. Raises InvalidSpec if `cut` is out of reach."""
    depth = min(1.0, cut / DEEP_CUT)
    qk, vo = (1 - (1 - share) * depth for share in (QK_SHARE, VO_SHARE))
    return _same_ranks(shape, blocks_of(shape, half), qk, vo, budget_of(shape, half, cut))


def successive_plan(shape: ModelShape, cut: float) -> dict[str, BlockPlan]:
    """Return the plan of AdaPTwin's figure 2: encoder layers are cut deeply, from the first one on, until the budget
    is met; later layers stay whole.

    Raises:
        InvalidSpec: `cut` is out of reach.
    """
    budget = budget_of(shape, "encoder", cut)
    ff = max(1, int(SUCCESSIVE_FF_SHARE * shape.d_model))
    deepest = BlockPlan(
        qk=_head_rank(shape, "encoder", SUCCESSIVE_QK_SHARE),
        vo=_head_rank(shape, "encoder", SUCCESSIVE_VO_SHARE),
        fc1=ff,
        fc2=ff,
    )
    blocks = blocks_of(shape, "encoder")
    num_layers = math.ceil(budget / params_removed(shape, blocks[0], deepest))
    if num_layers > len(blocks):
        raise InvalidSpec(
            f"the successive plan cannot remove {cut:.0%} of this encoder: use the uniform plan or a smaller cut"
        )
    return _same_ranks(shape, blocks[:num_layers], SUCCESSIVE_QK_SHARE, SUCCESSIVE_VO_SHARE, budget)


def _same_ranks(
    shape: ModelShape, blocks: Sequence[BlockId], qk_share: float, vo_share: float, budget: int
) -> dict[str, BlockPlan]:
    """Cut the heads of all blocks to the given shares and take what is left of the budget from their feed-forwards."""
    half = blocks[0].half
    heads_only = BlockPlan(qk=_head_rank(shape, half, qk_share), vo=_head_rank(shape, half, vo_share))
    removed = sum(params_removed(shape, block, heads_only) for block in blocks)
    d, f = shape.d_model, shape.ffn(half)
    num_ff = sum(block.has_ff for block in blocks)
    kept_per_matrix = d * f - max(0, budget - removed) / (2 * num_ff)
    step = size_step(d)
    rank = int(kept_per_matrix / (d + f)) // step * step
    if rank < 1:
        raise InvalidSpec(
            f"a cut of {budget:,} parameters is out of reach for {len(blocks)} blocks: ask for a smaller cut"
        )
    ff = rank if removed < budget else None
    plan = heads_only.model_copy(update={"fc1": ff, "fc2": ff})
    return {str(block): plan.for_block(block) for block in blocks}


def _head_rank(shape: ModelShape, half: Half, share: float) -> int | None:
    """Return the columns that a share of a head has, rounded to a step; None where that is the whole head."""
    size = shape.head_size(half)
    step = size_step(size)
    rank = max(step, round(share * size / step) * step)
    return rank if rank < size else None

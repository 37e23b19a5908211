"""How much each block keeps: turns a spec into a `RankPlan` for a model's shape.

The measured plan takes parameters where the speech says they are missed least (allocation.py). The uniform plan gives
every layer of a part the same ranks. The successive plan (the paper's figure 2) keeps one deep cut constant and takes
encoder layers from the first one on until the budget is met; later layers stay whole.
"""

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress

from adaptwin_core.domain.allocation import Allocation, Offer, allocate, fewer_heads, offers_of, size_step
from adaptwin_core.domain.errors import InvalidSpec
from adaptwin_core.domain.plan import (
    BlockId,
    BlockPlan,
    ModelShape,
    Part,
    RankPlan,
    block_params,
    block_work,
    blocks_of,
)
from adaptwin_core.domain.spec import SEARCHED_CUTS, CompressionSpec, SpectralRanks

# As stored: in int8 and int4 all but matrices stays float16, and scales are added.
BYTES_PER_PARAM = {"float16": 2.0, "int8": 1.06, "int4": 0.7}
HEADER_BYTES = 262_144  # room for the names in a safetensors file
DEEPEST_CUT = 0.75  # of all layers: what the measured plan reaches on every Whisper
# In a plan for a runtime: twice as fast is worth four times the loss before tuning. Of Whisper base it takes 6 heads of
# 8 at a cut of 45 %, a quarter faster than all 8 for 6 % more loss, and all 8 at 20 %.
SPEED_WORTH = 2
MUCH_MORE = 0.01  # of the layers' parameters, beyond the plan that removes least
# Shares of a head that the uniform plan keeps at a cut of DEEP_CUT or more: QK tolerates much, VO little.
DEEP_CUT = 0.45
QK_SHARE, VO_SHARE = 0.375, 0.75
# What a layer of the successive plan keeps of its heads and width at the most hurried: about a third of its parameters.
SUCCESSIVE_QK_SHARE, SUCCESSIVE_VO_SHARE, SUCCESSIVE_FF_SHARE = 0.25, 0.5, 0.25


Offers = Mapping[str, Sequence[Offer]]  # by block name


def make_plan(spec: CompressionSpec, shape: ModelShape, offers: Offers | None = None) -> RankPlan:
    """Return the sizes that remove the asked share of parameters, or a little more.

    Args:
        offers: what was measured, for the measured plan; without it every size is taken to lose nothing, which tells
            whether the cut can be reached, not what it will be.

    Raises:
        InvalidSpec: a rank is larger than what it cuts, the cut cannot be reached, or it leaves every block whole.
    """
    blocks: dict[str, BlockPlan] = {}
    for part, cut in cuts_of(spec, shape).items():
        budget = _budget(shape, part, cut)
        if spec.ranks is not None:
            plan = _by_hand(spec.ranks, shape, part)
            blocks |= {str(block): _for_block(plan, block) for block in blocks_of(shape, part)}
        elif spec.plan == "measured":
            of_part = {str(block): _offers(offers, shape, block) for block in blocks_of(shape, part)}
            blocks |= _measured(spec, shape, of_part, budget)
        elif spec.plan == "successive" and part == "encoder":
            blocks |= _successive(shape, cut)
        else:
            depth = min(1.0, cut / DEEP_CUT)
            qk, vo = (1 - (1 - share) * depth for share in (QK_SHARE, VO_SHARE))
            blocks |= _same_ranks(shape, blocks_of(shape, part), qk, vo, budget)
    kept = {name: plan for name, plan in blocks.items() if not plan.is_whole}
    if blocks and not kept:
        raise InvalidSpec("these settings leave every block whole: ask for a larger cut, or for smaller ranks")
    return RankPlan(blocks=kept)


def _measured(spec: CompressionSpec, shape: ModelShape, offers: Offers, budget: int) -> dict[str, BlockPlan]:
    if spec.plan_for == "ctranslate2":
        return _for_ctranslate2(shape, offers, budget)
    return allocate(shape, offers, budget, equal_heads=spec.equal_heads).blocks


def _for_ctranslate2(shape: ModelShape, offers: Offers, budget: int) -> dict[str, BlockPlan]:
    """Return the plan of the number of heads with the least loss · work^`SPEED_WORTH`.

    CTranslate2 pads the smaller of a layer's two head sizes, takes one number of heads for all layers, and gives each
    core whole heads: an odd one leaves cores waiting.
    """
    part = BlockId.parse(next(iter(offers))).part

    def cost(found: Allocation) -> float:
        work = sum(block_work(shape, BlockId.parse(name), kept) for name, kept in found.blocks.items())
        return found.loss * float(work) ** SPEED_WORTH

    def removed(found: Allocation) -> int:
        return sum(_removed(shape, BlockId.parse(name), kept) for name, kept in found.blocks.items())

    def with_heads(num_heads: int) -> Allocation:
        return allocate(shape, offers, budget, equal_heads=True, num_heads=num_heads, price=block_work)

    *more, fewest = (shape.heads(part), *(heads for heads in fewer_heads(shape, part) if heads % 2 == 0))
    found = [with_heads(fewest)]  # a budget that is out of reach is so for all
    for num_heads in more:
        with suppress(InvalidSpec):
            found.append(with_heads(num_heads))
    # Heads that all layers lose may be more than was asked.
    most = min(map(removed, found)) + MUCH_MORE * sum(_whole(shape, BlockId.parse(name)) for name in offers)
    return min((one for one in found if removed(one) <= most), key=cost).blocks


def needs_offers(spec: CompressionSpec) -> bool:
    """Return whether the plan waits for what the speech says."""
    return spec.plan == "measured" and spec.ranks is None


def blocks_to_cut(spec: CompressionSpec, shape: ModelShape) -> list[BlockId]:
    """Return the blocks that the plan may cut, known before anything is measured. Raises InvalidSpec as make_plan."""
    if needs_offers(spec):
        return [block for part in cuts_of(spec, shape) for block in blocks_of(shape, part)]
    return [BlockId.parse(name) for name in make_plan(spec, shape).blocks]


def searched_cuts(spec: CompressionSpec, shape: ModelShape) -> list[float]:
    """Return the encoder cuts that a search for `max_wer` chooses from: those that this model allows, deepest first.

    Raises:
        InvalidSpec: it allows none.
    """
    allowed = []
    for cut in SEARCHED_CUTS:
        try:
            make_plan(spec.with_cut(cut), shape)
        except InvalidSpec:  # a model so small that little can be removed
            continue
        allowed.append(cut)
    if not allowed:
        raise InvalidSpec("this model is too small to search for a cut: give encoder_cut")
    return allowed


def cuts_of(spec: CompressionSpec, shape: ModelShape) -> dict[Part, float]:
    """Return the share to remove of each half that is cut; a decoder's share counts its layers, not its embeddings.

    A budget for the whole model takes the same share of encoder and decoder layers.

    Raises:
        InvalidSpec: the embeddings alone are larger than the budget, or so nearly that too little would be left.
    """
    if spec.max_wer is not None:
        return {"encoder": searched_cuts(spec, shape)[0]}
    cuts: dict[Part, float] = {"encoder": spec.encoder_cut, "decoder": spec.decoder_cut}
    removed = _removed_of_whole(spec, shape)
    if removed is not None:
        share = max(0.0, removed / (shape.encoder_params + shape.decoder_layer_params))
        if share > DEEPEST_CUT:
            least = shape.total_params - DEEPEST_CUT * (shape.encoder_params + shape.decoder_layer_params)
            least_bytes = HEADER_BYTES + math.ceil(least * BYTES_PER_PARAM[spec.weights])
            raise InvalidSpec(
                f"this budget is out of reach: at least {least:,.0f} parameters ({least_bytes:,.0f} bytes) must stay; "
                "ask for a larger budget or take a smaller base model"
            )
        cuts = {"encoder": share, "decoder": share}
    return {part: cut for part, cut in cuts.items() if cut > 0}


def _removed_of_whole(spec: CompressionSpec, shape: ModelShape) -> int | None:
    if spec.max_bytes is not None:
        return shape.total_params - int((spec.max_bytes - HEADER_BYTES) / BYTES_PER_PARAM[spec.weights])
    return None if spec.model_cut is None else math.ceil(spec.model_cut * shape.total_params)


def _offers(offers: Offers | None, shape: ModelShape, block: BlockId) -> Sequence[Offer]:
    if offers is not None:
        return offers[str(block)]
    return [Offer(part=part, kept=kept, loss=0.0) for part, kept in offers_of(shape, block)]


def _budget(shape: ModelShape, part: Part, cut: float) -> int:
    """Return the parameters to remove. A decoder's cut counts its layers: its embeddings stay."""
    return math.ceil(cut * (shape.encoder_params if part == "encoder" else shape.decoder_layer_params))


def _same_ranks(
    shape: ModelShape, blocks: Sequence[BlockId], qk_share: float, vo_share: float, budget: int
) -> dict[str, BlockPlan]:
    """Cut the heads of all blocks to the given shares and take what is left of the budget from their feed-forwards."""
    part = blocks[0].part
    heads_only = BlockPlan(qk=_head_rank(shape, part, qk_share), vo=_head_rank(shape, part, vo_share))
    removed = sum(_removed(shape, block, heads_only) for block in blocks)
    d, f = shape.d_model, shape.ffn(part)
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
    return {str(block): _for_block(plan, block) for block in blocks}


def _successive(shape: ModelShape, cut: float) -> dict[str, BlockPlan]:
    budget = _budget(shape, "encoder", cut)
    ff = max(1, int(SUCCESSIVE_FF_SHARE * shape.d_model))
    deepest = BlockPlan(
        qk=_head_rank(shape, "encoder", SUCCESSIVE_QK_SHARE),
        vo=_head_rank(shape, "encoder", SUCCESSIVE_VO_SHARE),
        fc1=ff,
        fc2=ff,
    )
    blocks = blocks_of(shape, "encoder")
    num_layers = math.ceil(budget / _removed(shape, blocks[0], deepest))
    if num_layers > len(blocks):
        raise InvalidSpec(
            f"the successive plan cannot remove {cut:.0%} of this encoder: use the uniform plan or a smaller cut"
        )
    return _same_ranks(shape, blocks[:num_layers], SUCCESSIVE_QK_SHARE, SUCCESSIVE_VO_SHARE, budget)


def _by_hand(ranks: SpectralRanks, shape: ModelShape, part: Part) -> BlockPlan:
    size = shape.head_size(part)
    neurons = shape.ffn(part)
    heads = ranks.heads if part == "encoder" else None
    largest_ff = min(shape.d_model, ranks.neurons or neurons)
    for name, rank, largest in (
        ("heads", heads, shape.heads(part)),
        ("qk", ranks.qk, size),
        ("vo", ranks.vo, size),
        ("neurons", ranks.neurons, neurons),
        ("ff", ranks.ff, largest_ff),
    ):
        if rank is not None and rank > largest:
            raise InvalidSpec(f"{name}={rank} is more than the {largest} that this model has")
    return BlockPlan(heads=heads, qk=ranks.qk, vo=ranks.vo, neurons=ranks.neurons, fc1=ranks.ff, fc2=ranks.ff)


def _for_block(plan: BlockPlan, block: BlockId) -> BlockPlan:
    return plan if block.has_ff else plan.model_copy(update={"neurons": None, "fc1": None, "fc2": None})


def _head_rank(shape: ModelShape, part: Part, share: float) -> int | None:
    size = shape.head_size(part)
    step = size_step(size)
    rank = max(step, round(share * size / step) * step)
    return rank if rank < size else None


def _removed(shape: ModelShape, block: BlockId, plan: BlockPlan) -> int:
    return _whole(shape, block) - block_params(shape, block, _for_block(plan, block))


def _whole(shape: ModelShape, block: BlockId) -> int:
    return block_params(shape, block, BlockPlan())

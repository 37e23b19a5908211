"""What every block of a model keeps of its parts, and what that costs in parameters and in work."""

from typing import Literal

from adaptwin_core.domain.frozen import Frozen
from adaptwin_core.domain.shape import BlockId, Half, ModelShape

Part = Literal["heads", "qk", "vo", "neurons", "fc1", "fc2"]
TOKENS_A_WINDOW = 100  # that are usually spoken in 30 s
# CTranslate2 spends as much time on one attention score (softmax, memory) as on this many further multiplications:
# docs/history.md, "Speed in CTranslate2".
SCORE_COST = 350


class BlockPlan(Frozen):
    """What one block keeps of each `Part`. None leaves that part as it was.

    `heads` counts the heads of its attention, `qk` and `vo` the columns of each head, `neurons` those of its
    feed-forward. `fc1` and `fc2` are the ranks of the feed-forward's two matrices on those neurons.
    """

    heads: int | None = None
    qk: int | None = None
    vo: int | None = None
    neurons: int | None = None
    fc1: int | None = None
    fc2: int | None = None

    @property
    def is_whole(self) -> bool:
        return self == BlockPlan()

    def for_block(self, block: BlockId) -> "BlockPlan":
        """Return this plan without the parts that `block` does not have."""
        return self if block.has_ff else self.model_copy(update={"neurons": None, "fc1": None, "fc2": None})


class RankPlan(Frozen):
    """The plan of every cut block, by block name. It is saved inside the compressed model's config."""

    blocks: dict[str, BlockPlan]

    def params_removed(self, shape: ModelShape, half: Half) -> int:
        """Return how many parameters of one half the plan takes away."""
        plans = ((BlockId.parse(name), plan) for name, plan in self.blocks.items())
        return sum(params_removed(shape, block, plan) for block, plan in plans if block.half == half)

    def encoder_params(self, shape: ModelShape) -> int:
        return shape.encoder_params - self.params_removed(shape, "encoder")

    def total_params(self, shape: ModelShape) -> int:
        return shape.total_params - self.params_removed(shape, "encoder") - self.params_removed(shape, "decoder")


def block_params(shape: ModelShape, block: BlockId, plan: BlockPlan) -> int:
    """Return the parameters of a block's attention and feed-forward under `plan`, without its layer norms.

    Twins of rank r in H heads keep two D x Hr matrices. The query keeps its bias; a cut folds the value's bias into
    the output's. A feed-forward of fewer neurons stays two matrices. A matrix of rank r becomes two thin ones and
    keeps its bias.
    """
    d, f, size = shape.d_model, plan.neurons or shape.ffn(block.half), shape.head_size(block.half)
    h = plan.heads or shape.heads(block.half)
    qk = 2 * d * h * (plan.qk or size) + h * (plan.qk or size)
    vo = 2 * d * h * (plan.vo or size) + d
    if plan.vo is None and plan.heads is None:
        vo += d
    if not block.has_ff:
        return qk + vo
    fc1 = d * f + f if plan.fc1 is None else plan.fc1 * (d + f) + f
    fc2 = d * f + d if plan.fc2 is None else plan.fc2 * (d + f) + d
    return qk + vo + fc1 + fc2


def whole_params(shape: ModelShape, block: BlockId) -> int:
    """Return the parameters of a block of which nothing is cut, without its layer norms."""
    return block_params(shape, block, BlockPlan())


def params_removed(shape: ModelShape, block: BlockId, plan: BlockPlan) -> int:
    """Return how many parameters of a block the plan takes away."""
    return whole_params(shape, block) - block_params(shape, block, plan.for_block(block))


def block_work(shape: ModelShape, block: BlockId, plan: BlockPlan) -> int:
    """Return a block's multiplications for one window of 30 s that holds `TOKENS_A_WINDOW` tokens.

    With T positions that attend to S positions, H heads of Q query-key and V value-output columns, width D and F
    neurons:

        H·(Q + V)·(D·(T + S) + T·S) + SCORE_COST·H·T·S + 2·T·D·F

    The last term is the feed-forward's; a matrix of rank r costs T·r·(D + F) of it.
    """
    d, f, size = shape.d_model, plan.neurons or shape.ffn(block.half), shape.head_size(block.half)
    reading = shape.max_source_positions if block.half == "encoder" else TOKENS_A_WINDOW
    read = reading if block.attention == "self" else shape.max_source_positions
    heads = plan.heads or shape.heads(block.half)
    columns = heads * ((plan.qk or size) + (plan.vo or size))
    attention = columns * (d * (reading + read) + reading * read) + SCORE_COST * heads * reading * read
    if not block.has_ff:
        return attention
    return attention + reading * sum(d * f if rank is None else rank * (d + f) for rank in (plan.fc1, plan.fc2))

"""How large a planned model is: its parameters, and the bytes of its weights as `ml/model/quantization.py` stores them.

Shape letters: O outputs and I inputs of a matrix.
"""

from collections.abc import Iterator
from typing import NamedTuple

from adaptwin_core.domain.plan import BlockPlan, RankPlan
from adaptwin_core.domain.shape import HALVES, BlockId, ModelShape, blocks_of

INT4_GROUPS = (32, 16, 8, 4, 2)  # inputs that share a scale and a zero: the largest of these that divides a row's
INT4_GROUP_BYTES = 3  # a scale of 16 bits, a zero of 8
SCALE_BYTES = 2


class ModelSize(NamedTuple):
    """Parameters, and the bytes of the weights without the names at the start of their file, which take some 30 kB."""

    encoder_params: int
    total_params: int
    bytes: int


def size_of(shape: ModelShape, plan: RankPlan, weights: str) -> ModelSize:
    """Return the size of a model that was cut by a plan.

    Args:
        weights: how matrices are stored: float16, int8 or int4.
    """
    total = plan.total_params(shape)
    matrices = list(_matrices(shape, plan))
    others = total - sum(o * i for o, i in matrices)  # biases, norms, convolutions and positions stay in 16 bits
    return ModelSize(plan.encoder_params(shape), total, 2 * others + sum(_bytes(o, i, weights) for o, i in matrices))


def _bytes(o: int, i: int, weights: str) -> int:
    if weights == "float16":
        return 2 * o * i
    if weights == "int8" or i % 2:
        return o * i + SCALE_BYTES * o
    group = next(size for size in INT4_GROUPS if i % size == 0)
    return o * i // 2 + INT4_GROUP_BYTES * o * (i // group)


def _matrices(shape: ModelShape, plan: RankPlan) -> Iterator[tuple[int, int]]:
    """Yield (O, I) of every matrix: the token embedding, which is the output layer too, and those of all layers."""
    yield shape.vocab_size, shape.d_model
    for half in HALVES:
        for block in blocks_of(shape, half):
            yield from _of_block(shape, block, plan.blocks.get(str(block), BlockPlan()))


def _of_block(shape: ModelShape, block: BlockId, plan: BlockPlan) -> Iterator[tuple[int, int]]:
    d, size, heads = shape.d_model, shape.head_size(block.half), plan.heads or shape.heads(block.half)
    qk, vo = heads * (plan.qk or size), heads * (plan.vo or size)
    yield from ((qk, d), (qk, d), (vo, d), (d, vo))
    if block.has_ff:
        neurons = plan.neurons or shape.ffn(block.half)
        for o, i, rank in ((neurons, d, plan.fc1), (d, neurons, plan.fc2)):
            yield from ((o, i),) if rank is None else ((rank, i), (o, rank))

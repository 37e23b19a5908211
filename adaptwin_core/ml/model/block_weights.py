"""The weights of one block as matrices, whatever its layer calls them.

Shape letters: D width, X query-key columns of all heads, Y value-output columns of all heads, O outputs, I inputs,
R rank.
"""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class AttentionWeights:
    """Four projections. Keys have no bias in Whisper; a cut folds the values' bias into the output's."""

    query_XD: Tensor
    query_bias_X: Tensor
    key_XD: Tensor
    value_YD: Tensor
    value_bias_Y: Tensor | None
    output_DY: Tensor
    output_bias_D: Tensor


@dataclass(frozen=True)
class LinearWeights:
    """A linear layer: `weight_OI` x + `bias_O`."""

    weight_OI: Tensor
    bias_O: Tensor


@dataclass(frozen=True)
class LowRankWeights:
    """A linear layer as two thin ones: `up_OR` (`down_RI` x) + `bias_O`."""

    down_RI: Tensor
    up_OR: Tensor
    bias_O: Tensor


@dataclass(frozen=True)
class FeedForwardWeights:
    """The two matrices of a feed-forward, each whole or of low rank."""

    first: LinearWeights | LowRankWeights
    second: LinearWeights | LowRankWeights

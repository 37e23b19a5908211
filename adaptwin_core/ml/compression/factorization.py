"""Cut one block in closed form: its weights and moments in, the weights of the smaller block out.

Shape letters: H heads, K head size, E columns of all heads, D width, F neurons, I inputs.
"""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from adaptwin_core.domain.plan import BlockPlan, Part
from adaptwin_core.domain.shape import BlockId
from adaptwin_core.ml.compression import neurons, twins
from adaptwin_core.ml.compression.attention import cut_attention
from adaptwin_core.ml.compression.moments import BlockMoments, VectorMoments
from adaptwin_core.ml.model.adapter import attention_weights, block_modules, block_state, feed_forward_weights
from adaptwin_core.ml.model.block_weights import FeedForwardWeights, LinearWeights, LowRankWeights


@dataclass(frozen=True)
class CutBlock:
    """The weights of a cut block, and what the cut costs.

    Attributes:
        state: tensors by their name inside the layer.
        errors: predicted relative squared error of each part that was cut. Where heads and vo are both cut, that of
            `vo` holds both.
    """

    state: dict[str, Tensor]
    errors: dict[Part, float]


def factorize_block(
    layer: nn.Module,
    block: BlockId,
    plan: BlockPlan,
    moments: BlockMoments | None,
    order_F: Tensor | None = None,
) -> CutBlock:
    """Cut a block of an original layer to the sizes of `plan`.

    Args:
        moments: as `moments.mix` gives them. None stands for white input, which gives the plain SVD of the product (in
            the feed-forward, of the matrix).
        order_F: the neurons, most needed first, where `rank_neurons` has already found it.

    Returns:
        every tensor of the block's attention and feed-forward, cut or not, in float32.
    """
    if moments is None:
        moments = white_moments(layer, block)
    num_heads = block_modules(layer, block).num_heads
    attention, errors = cut_attention(attention_weights(layer, block), num_heads, moments, plan)
    ff = None
    if (matrices := feed_forward_weights(layer, block)) is not None:
        if plan.neurons is not None and order_F is None:
            order_F = rank_neurons(layer, block, moments)
        ff, ff_errors = _cut_ff(*matrices, moments, plan, order_F)
        errors |= ff_errors
    state = block_state(block, attention, ff)
    return CutBlock({name: tensor.float().contiguous() for name, tensor in state.items()}, errors)


def rank_neurons(layer: nn.Module, block: BlockId, moments: BlockMoments) -> Tensor:
    """Return order_F: the neurons of a block's feed-forward, most needed first."""
    matrices = feed_forward_weights(layer, block)
    assert matrices is not None
    assert moments.neurons is not None
    return neurons.rank(moments.neurons.covariance, matrices[1].weight_OI)


def white_moments(layer: nn.Module, block: BlockId) -> BlockMoments:
    """Return the moments that inputs of identity covariance and zero mean would give: weights alone decide."""
    attention, h = attention_weights(layer, block), block_modules(layer, block).num_heads
    query_EI = torch.cat([attention.query_XD.double(), attention.query_bias_X.double().unsqueeze(1)], 1)
    query_HKI, key_HKI, value_HKI = (
        tensor.unflatten(0, (h, -1)) for tensor in (query_EI, attention.key_XD.double(), attention.value_YD.double())
    )
    attended_EE = torch.block_diag(*(value_HKI @ value_HKI.mT))
    moments = BlockMoments(
        queries_HKK=query_HKI @ query_HKI.mT,
        keys_HKK=key_HKI @ key_HKI.mT,
        attended=VectorMoments(attended_EE, torch.zeros_like(attended_EE[0])),
    )
    matrices = feed_forward_weights(layer, block)
    if matrices is None:
        return moments
    num_outputs, num_neurons = matrices[1].weight_OI.shape
    ff_inputs, activations = (_white(size, attended_EE) for size in (num_outputs, num_neurons))
    return replace(moments, ff_inputs=ff_inputs, neurons=activations)


def _white(size: int, like: Tensor) -> VectorMoments:
    kind: dict[str, Any] = {"dtype": like.dtype, "device": like.device}
    return VectorMoments(torch.eye(size, **kind), torch.zeros(size, **kind))


def _cut_ff(
    first: LinearWeights, second: LinearWeights, moments: BlockMoments, plan: BlockPlan, order_F: Tensor | None
) -> tuple[FeedForwardWeights, dict[Part, float]]:
    """Prune neurons first, then cut what is left of each matrix to its rank."""
    assert moments.ff_inputs is not None
    assert moments.neurons is not None
    errors: dict[Part, float] = {}
    weight_FD, bias_F = first.weight_OI.double(), first.bias_O.double()
    weight_DF, bias_D = second.weight_OI.double(), second.bias_O.double()
    covariance_FF, mean_F = moments.neurons.covariance, moments.neurons.mean_N
    if plan.neurons is not None and order_F is not None:
        pruned = neurons.prune(covariance_FF, mean_F, weight_DF, bias_D, order_F, plan.neurons)
        errors["neurons"] = pruned.error
        kept = pruned.kept_N
        weight_FD, bias_F, weight_DF, bias_D = weight_FD[kept], bias_F[kept], pruned.weight_ON, pruned.bias_O
        covariance_FF, mean_F = covariance_FF[kept][:, kept], mean_F[kept]
    ff = FeedForwardWeights(LinearWeights(weight_FD, bias_F), LinearWeights(weight_DF, bias_D))
    if plan.fc1 is not None:
        inputs = moments.ff_inputs
        cut = twins.cut_linear(weight_FD, bias_F, inputs.covariance, inputs.mean_N, plan.fc1)
        ff, errors["fc1"] = replace(ff, first=_low_rank(cut)), cut.error
    if plan.fc2 is not None:
        covariance_DD = weight_DF @ covariance_FF @ weight_DF.mT
        cut = twins.cut_linear_by_outputs(weight_DF, bias_D, covariance_DD, mean_F, plan.fc2)
        ff, errors["fc2"] = replace(ff, second=_low_rank(cut)), cut.error
    return ff, errors


def _low_rank(cut: twins.LinearCut) -> LowRankWeights:
    return LowRankWeights(cut.down_RI, cut.up_OR, cut.bias_O)

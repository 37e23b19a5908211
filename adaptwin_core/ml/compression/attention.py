"""Cut one attention in closed form: heads are dropped first, then the twins of those that stay are cut.

Shape letters as in twins.py, with H all heads and G those kept, K the head size and E the columns of all heads.
"""

from dataclasses import replace

import torch
from torch import Tensor

from adaptwin_core.domain.plan import BlockPlan, Part
from adaptwin_core.ml.compression import heads, twins
from adaptwin_core.ml.compression.moments import BlockMoments, VectorMoments
from adaptwin_core.ml.model.block_weights import AttentionWeights


def cut_attention(
    whole: AttentionWeights, num_heads: int, moments: BlockMoments, plan: BlockPlan
) -> tuple[AttentionWeights, dict[Part, float]]:
    """Return the attention cut to the plan's heads, qk and vo, and the predicted error of each part that was cut."""
    kept_G = _kept_heads(whole, num_heads, moments, plan.heads)
    head_size = whole.output_DY.shape[1] // num_heads
    cut, errors = whole, dict[Part, float]()
    if plan.qk is not None:
        cut, errors["qk"] = _cut_qk(cut, num_heads, moments, plan.qk, kept_G)
    elif plan.heads is not None:
        weight_GKD, bias_GK, key_GKD = _qk_of(whole, num_heads, kept_G)
        cut = replace(
            cut, query_XD=weight_GKD.flatten(0, 1), query_bias_X=bias_GK.flatten(0, 1), key_XD=key_GKD.flatten(0, 1)
        )
    if plan.vo is not None or plan.heads is not None:
        part: Part = "heads" if plan.vo is None else "vo"
        cut, errors[part] = _cut_vo(cut, num_heads, moments.attended, plan.vo or head_size, kept_G)
    return cut, errors


def _kept_heads(whole: AttentionWeights, num_heads: int, moments: BlockMoments, keep: int | None) -> Tensor:
    """Return kept_G: the heads to keep, in their old order."""
    if keep is None:
        return torch.arange(num_heads, device=whole.output_DY.device)
    order_H = heads.rank(moments.attended.covariance, whole.output_DY, num_heads)
    return order_H[:keep].sort().values


def _cut_qk(
    whole: AttentionWeights, num_heads: int, moments: BlockMoments, rank: int, kept_G: Tensor
) -> tuple[AttentionWeights, float]:
    """Cut the twin of queries and keys; the query then holds the scale of the scores."""
    cut = twins.cut_twin(moments.queries_HKK[kept_G], moments.keys_HKK[kept_G], rank)
    weight_GKD, bias_GK, key_GKD = (tensor.double() for tensor in _qk_of(whole, num_heads, kept_G))
    # The bias is one more column of the product: it meets the keys like an input that is always 1.
    query_GKI = torch.cat([weight_GKD, bias_GK.unsqueeze(-1)], -1) * weight_GKD.shape[1] ** -0.5
    query_GRI, key_GRD = twins.balance(cut.left_HKR.mT @ query_GKI, cut.right_HKR.mT @ key_GKD)
    smaller = replace(
        whole,
        query_XD=query_GRI[..., :-1].flatten(0, 1),
        query_bias_X=query_GRI[..., -1].flatten(),
        key_XD=key_GRD.flatten(0, 1),
    )
    return smaller, cut.error


def _qk_of(whole: AttentionWeights, num_heads: int, kept_G: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return query weight_GKD, query bias_GK and key weight_GKD of the kept heads."""
    weight_HKD, bias_HK, key_HKD = (
        tensor.unflatten(0, (num_heads, -1)) for tensor in (whole.query_XD, whole.query_bias_X, whole.key_XD)
    )
    return weight_HKD[kept_G], bias_HK[kept_G], key_HKD[kept_G]


def _cut_vo(
    whole: AttentionWeights, num_heads: int, attended: VectorMoments, rank: int, kept_G: Tensor
) -> tuple[AttentionWeights, float]:
    """Cut the twin of values and output, and refit the output so that heads make up for each other."""
    assert whole.value_bias_Y is not None, "only an original attention is cut"
    value_GKD = whole.value_YD.double().unflatten(0, (num_heads, -1))[kept_G]
    output_DE, covariance_EE = whole.output_DY.double(), attended.covariance
    size = len(covariance_EE) // num_heads
    # Heads that stay take over what they can of those that go, before any is made smaller.
    kept_E = torch.arange(len(covariance_EE), device=kept_G.device).unflatten(0, (num_heads, -1))[kept_G].flatten()
    chosen_EE = torch.eye(len(covariance_EE), dtype=covariance_EE.dtype, device=kept_E.device)[:, kept_E]
    output_GKD = twins.refit(covariance_EE, chosen_EE, output_DE).mT.unflatten(0, (len(kept_G), -1))
    cut = twins.cut_twin(head_blocks(covariance_EE, num_heads)[kept_G], output_GKD @ output_GKD.mT, rank)
    kept_HKGR = cut.left_HKR.new_zeros(num_heads, size, len(kept_G), rank)
    kept_HKGR[kept_G, :, torch.arange(len(kept_G), device=kept_G.device)] = cut.left_HKR
    kept_ER = kept_HKGR.flatten(2).flatten(0, 1)
    refitted_GRD = twins.refit(covariance_EE, kept_ER, output_DE).mT.unflatten(0, (len(kept_G), -1))
    value_GRD, output_GRD = twins.balance(cut.left_HKR.mT @ value_GKD, refitted_GRD)
    # The output is W_O z + b_O with z = Σ a (W_V x + b_V). The attention weights a of a position sum to 1, so b_V
    # folds into b_O exactly; the mean of what is lost folds in too.
    mean_E = attended.mean_N
    lost_mean_D = output_DE @ mean_E - refitted_GRD.flatten(0, 1).mT @ (kept_ER.mT @ mean_E)
    bias_D = whole.output_bias_D.double() + output_DE @ whole.value_bias_Y.double() + lost_mean_D
    lost_DE = output_DE - refitted_GRD.flatten(0, 1).mT @ kept_ER.mT
    error = torch.trace(lost_DE @ covariance_EE @ lost_DE.mT) / torch.trace(output_DE @ covariance_EE @ output_DE.mT)
    smaller = replace(
        whole,
        value_YD=value_GRD.flatten(0, 1),
        value_bias_Y=None,
        output_DY=output_GRD.flatten(0, 1).mT,
        output_bias_D=bias_D,
    )
    return smaller, float(error)


def head_blocks(covariance_EE: Tensor, num_heads: int) -> Tensor:
    """Return the diagonal blocks_HKK of a covariance over all heads."""
    size = len(covariance_EE) // num_heads
    return torch.stack([covariance_EE[i : i + size, i : i + size] for i in range(0, len(covariance_EE), size)])

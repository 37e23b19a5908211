"""Cut one block in closed form: its weights and moments in, the weights of the smaller block out.

Shape letters as in twins.py, with H of all heads and G of those kept, E of the columns of all heads.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from adaptwin_core.domain.plan import BlockPlan
from adaptwin_core.domain.shape import BlockId
from adaptwin_core.ml.compression import heads, neurons, twins
from adaptwin_core.ml.model.adapter import attention_name, block_modules


@dataclass(frozen=True)
class CutBlock:
    """`state`: tensors by their name inside the layer. `errors`: predicted relative squared error of each part that
    was cut; that of `vo` holds what went with heads.
    """

    state: dict[str, Tensor]
    errors: dict[str, float]


def factorize_block(
    layer: nn.Module,
    block: BlockId,
    plan: BlockPlan,
    moments: dict[str, Tensor] | None,
    order_F: Tensor | None = None,
) -> CutBlock:
    """Cut a block of an original layer to the sizes of `plan`.

    Args:
        moments: per-position means from `moments.mix`; None gives the plain SVD of the product (of the matrix, in the
            feed-forward): the moments that white input would have.
        order_F: the neurons, most needed first, where `rank_neurons` has already found it.

    Returns:
        every tensor of the block's attention and feed-forward, cut or not, in float32.
    """
    if moments is None:
        moments = white_moments(layer, block)
    modules = block_modules(layer, block)
    attention = modules.attention
    state = {f"{attention_name(block)}.{name}": tensor for name, tensor in attention.state_dict().items()}
    cut: dict[str, Tensor] = {}
    errors: dict[str, float] = {}
    kept_G = _kept_heads(attention, moments, plan.heads)
    if plan.qk is not None:
        cut_qk, errors["qk"] = _cut_qk(attention, moments, plan.qk, kept_G)
        cut |= cut_qk
    elif plan.heads is not None:
        cut |= _drop_qk(attention, kept_G)
    if plan.vo is not None or plan.heads is not None:
        name = "heads" if plan.vo is None else "vo"
        cut_vo, errors[name] = _cut_vo(attention, moments, plan.vo or attention.head_dim, kept_G)
        cut |= cut_vo
        del state[f"{attention_name(block)}.v_proj.bias"]
    state |= {f"{attention_name(block)}.{name}": tensor for name, tensor in cut.items()}
    if modules.fc1 is not None:
        if plan.neurons is not None and order_F is None:
            order_F = rank_neurons(layer, block, moments)
        cut_ff, ff_errors = _cut_ff(modules.fc1, modules.fc2, moments, plan, order_F)
        state |= cut_ff
        errors |= ff_errors
    return CutBlock({name: tensor.float().contiguous() for name, tensor in state.items()}, errors)


def rank_neurons(layer: nn.Module, block: BlockId, moments: dict[str, Tensor]) -> Tensor:
    """Return order_F: the neurons of a block's feed-forward, most needed first."""
    return neurons.rank(_covariance(moments, "f", "F"), block_modules(layer, block).fc2.weight.detach())


def white_moments(layer: nn.Module, block: BlockId) -> dict[str, Tensor]:
    """Return the moments that inputs of identity covariance and zero mean would give: weights alone decide."""
    modules = block_modules(layer, block)
    attention = modules.attention
    h = attention.num_heads
    q, k, v = (getattr(attention, name).weight.detach().double() for name in ("q_proj", "k_proj", "v_proj"))
    query_HKI = torch.cat([q, attention.q_proj.bias.detach().double().unsqueeze(1)], 1).unflatten(0, (h, -1))
    key_HKI, value_HKI = k.unflatten(0, (h, -1)), v.unflatten(0, (h, -1))
    z_DD = torch.block_diag(*(value_HKI @ value_HKI.mT))
    like: dict[str, Any] = {"dtype": z_DD.dtype, "device": z_DD.device}
    moments = {
        "q_HKK": query_HKI @ query_HKI.mT,
        "k_HKK": key_HKI @ key_HKI.mT,
        "z_DD": z_DD,
        "z_D": torch.zeros(len(z_DD), **like),
    }
    if modules.fc2 is not None:
        weight_DF = modules.fc2.weight.detach().double()
        zeros_D = torch.zeros(len(weight_DF), **like)
        moments |= {"x_DD": torch.eye(len(weight_DF), **like), "x_D": zeros_D}
        num_neurons = weight_DF.shape[1]
        moments |= {"f_FF": torch.eye(num_neurons, **like), "f_F": torch.zeros_like(weight_DF[0])}
    return moments


def head_blocks(covariance_DD: Tensor, num_heads: int) -> Tensor:
    """Return the diagonal blocks_HKK of a covariance over all heads."""
    size = len(covariance_DD) // num_heads
    return torch.stack([covariance_DD[i : i + size, i : i + size] for i in range(0, len(covariance_DD), size)])


def _kept_heads(attention: Any, moments: dict[str, Tensor], keep: int | None) -> Tensor:
    """Return kept_G: the heads to keep, in their old order."""
    if keep is None:
        return torch.arange(attention.num_heads, device=attention.out_proj.weight.device)
    order_H = heads.rank(_covariance(moments, "z", "D"), attention.out_proj.weight.detach(), attention.num_heads)
    return order_H[:keep].sort().values


def _cut_qk(attention: Any, moments: dict[str, Tensor], rank: int, kept_G: Tensor) -> tuple[dict[str, Tensor], float]:
    cut = twins.cut_twin(moments["q_HKK"][kept_G], moments["k_HKK"][kept_G], rank)
    weight_GKD, bias_GK, key_GKD = (tensor.double() for tensor in _qk_of(attention, kept_G))
    # The bias rides inside the product: it meets the keys like one more input that is always 1.
    query_GKI = torch.cat([weight_GKD, bias_GK.unsqueeze(-1)], -1) * attention.head_dim**-0.5
    query_GRI, key_GRD = twins.balance(cut.left_HKR.mT @ query_GKI, cut.right_HKR.mT @ key_GKD)
    state = {
        "q_proj.weight": query_GRI[..., :-1].flatten(0, 1),
        "q_proj.bias": query_GRI[..., -1].flatten(),
        "k_proj.weight": key_GRD.flatten(0, 1),
    }
    return state, cut.error


def _drop_qk(attention: Any, kept_G: Tensor) -> dict[str, Tensor]:
    names = ("q_proj.weight", "q_proj.bias", "k_proj.weight")
    return {name: tensor.flatten(0, 1) for name, tensor in zip(names, _qk_of(attention, kept_G), strict=True)}


def _qk_of(attention: Any, kept_G: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return query weight_GKD, query bias_GK and key weight_GKD of the kept heads."""
    query, key = attention.q_proj, attention.k_proj
    whole = (
        tensor.detach().unflatten(0, (attention.num_heads, -1)) for tensor in (query.weight, query.bias, key.weight)
    )
    weight_HKD, bias_HK, key_HKD = whole
    return weight_HKD[kept_G], bias_HK[kept_G], key_HKD[kept_G]


def _cut_vo(attention: Any, moments: dict[str, Tensor], rank: int, kept_G: Tensor) -> tuple[dict[str, Tensor], float]:
    h = attention.num_heads
    value_GKD = attention.v_proj.weight.detach().double().unflatten(0, (h, -1))[kept_G]
    output_DE = attention.out_proj.weight.detach().double()
    covariance_EE = _covariance(moments, "z", "D")
    # Heads that stay say what they can of those that go before any is made smaller.
    kept_E = torch.arange(len(covariance_EE), device=kept_G.device).unflatten(0, (h, -1))[kept_G].flatten()
    chosen_EE = torch.eye(len(covariance_EE), dtype=covariance_EE.dtype, device=kept_E.device)[:, kept_E]
    output_GKD = twins.refit(covariance_EE, chosen_EE, output_DE).mT.unflatten(0, (len(kept_G), -1))
    cut = twins.cut_twin(head_blocks(covariance_EE, h)[kept_G], output_GKD @ output_GKD.mT, rank)
    kept_HKGR = cut.left_HKR.new_zeros(h, attention.head_dim, len(kept_G), rank)
    kept_HKGR[kept_G, :, torch.arange(len(kept_G), device=kept_G.device)] = cut.left_HKR
    kept_ER = kept_HKGR.flatten(2).flatten(0, 1)
    refitted_GRD = twins.refit(covariance_EE, kept_ER, output_DE).mT.unflatten(0, (len(kept_G), -1))
    value_GRD, output_GRD = twins.balance(cut.left_HKR.mT @ value_GKD, refitted_GRD)
    # W_O z + b_O with z = Σ a (W_V x + b_V): rows of a sum to 1, so b_V folds exactly; the lost part's mean folds in
    # too.
    mean_E = moments["z_D"]
    lost_mean_D = output_DE @ mean_E - refitted_GRD.flatten(0, 1).mT @ (kept_ER.mT @ mean_E)
    bias_D = (
        attention.out_proj.bias.detach().double() + output_DE @ attention.v_proj.bias.detach().double() + lost_mean_D
    )
    lost_DE = output_DE - refitted_GRD.flatten(0, 1).mT @ kept_ER.mT
    error = torch.trace(lost_DE @ covariance_EE @ lost_DE.mT) / torch.trace(output_DE @ covariance_EE @ output_DE.mT)
    state = {
        "v_proj.weight": value_GRD.flatten(0, 1),
        "out_proj.weight": output_GRD.flatten(0, 1).mT,
        "out_proj.bias": bias_D,
    }
    return state, float(error)


def _cut_ff(
    fc1: Any, fc2: Any, moments: dict[str, Tensor], plan: BlockPlan, order_F: Tensor | None
) -> tuple[dict[str, Tensor], dict[str, float]]:
    """Prune neurons first, then cut what is left of each matrix to its rank."""
    errors: dict[str, float] = {}
    weight_FD, bias_F = fc1.weight.detach().double(), fc1.bias.detach().double()
    weight_DF, bias_D = fc2.weight.detach().double(), fc2.bias.detach().double()
    covariance_FF, mean_F = _covariance(moments, "f", "F"), moments["f_F"]
    if plan.neurons is not None and order_F is not None:
        pruned = neurons.prune(covariance_FF, mean_F, weight_DF, bias_D, order_F, plan.neurons)
        errors["neurons"] = pruned.error
        kept = pruned.kept_N
        weight_FD, bias_F, weight_DF, bias_D = weight_FD[kept], bias_F[kept], pruned.weight_ON, pruned.bias_O
        covariance_FF, mean_F = covariance_FF[kept][:, kept], mean_F[kept]
    state = {"fc1.weight": weight_FD, "fc1.bias": bias_F, "fc2.weight": weight_DF, "fc2.bias": bias_D}
    if plan.fc1 is not None:
        cut = twins.cut_linear(weight_FD, bias_F, _covariance(moments, "x", "D"), moments["x_D"], plan.fc1)
        state, errors["fc1"] = _as_thin(state, "fc1", cut), cut.error
    if plan.fc2 is not None:
        covariance_DD = weight_DF @ covariance_FF @ weight_DF.mT
        cut = twins.cut_linear_by_outputs(weight_DF, bias_D, covariance_DD, mean_F, plan.fc2)
        state, errors["fc2"] = _as_thin(state, "fc2", cut), cut.error
    return state, errors


def _as_thin(state: dict[str, Tensor], name: str, cut: twins.LinearCut) -> dict[str, Tensor]:
    """Return the state with one matrix replaced by its two thin ones."""
    rest = {key: tensor for key, tensor in state.items() if not key.startswith(name)}
    return rest | {f"{name}.down.weight": cut.down_RI, f"{name}.up.weight": cut.up_OR, f"{name}.up.bias": cut.bias_O}


def _covariance(moments: dict[str, Tensor], name: str, side: str) -> Tensor:
    mean = moments[f"{name}_{side}"]
    return moments[f"{name}_{side}{side}"] - torch.outer(mean, mean)

"""Other closed forms of each part of an encoder layer, at the parameters of ours.

Each takes an original layer and what was seen of it, and changes the layer in place. Shape letters: D width, H heads,
K head size, R kept rank, F neurons.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from adaptwin_core.domain.plan import BlockPlan
from adaptwin_core.domain.shape import BlockId
from adaptwin_core.ml.compression import twins
from adaptwin_core.ml.compression.attention import head_blocks
from adaptwin_core.ml.compression.factorization import factorize_block, white_moments
from adaptwin_core.ml.compression.moments import BlockMoments, VectorMoments
from adaptwin_core.ml.model.modeling_adaptwin import shrink
from bench.frontier.baselines import OutputMoments, thin


@dataclass(frozen=True)
class Seen:
    """`moments`: the mixed ones, as the product takes them. `outputs`: of every linear of the layer, by name.
    `order_F`: neurons, most needed first.
    """

    block: BlockId
    moments: BlockMoments
    outputs: dict[str, OutputMoments]
    order_F: Tensor


Form = Callable[[Any, Seen], None]


def ours(**sizes: int | None) -> Form:
    """The product's own cut to these sizes."""
    return lambda layer, seen: _cut(layer, seen, BlockPlan(**sizes), seen.moments, seen.order_F)


def plain(**sizes: int) -> Form:
    """The SVD of the product, or of the matrix: weights alone."""
    return lambda layer, seen: _cut(layer, seen, BlockPlan(**sizes), white_moments(layer, seen.block), None)


def keys_not_centred(rank: int) -> Form:
    """The twin under the raw second moment of the keys."""

    def apply(layer: Any, seen: Seen) -> None:
        raw_DD = seen.outputs["self_attn.k_proj"].second_moment()
        moments = replace(seen.moments, keys_HKK=head_blocks(raw_DD, layer.self_attn.num_heads))
        _cut(layer, seen, BlockPlan(qk=rank), moments, None)

    return apply


def shared_basis(rank: int, *, head: int | None = None) -> Form:
    """Query and key each on their own output axes across all heads, at the parameters of twins of `rank`; with `head`,
    on the axes of twins of that size, so that heads shrink too.
    """

    def apply(layer: Any, seen: Seen) -> None:
        attention = layer.self_attn
        budget = attention.q_proj.out_features // attention.num_heads
        width, heads = attention.q_proj.in_features, attention.num_heads
        before = {name: getattr(attention, name).weight.detach().double().clone() for name in ("q_proj", "k_proj")}
        if head is not None:
            _cut(layer, seen, BlockPlan(qk=head), seen.moments, None)
            attention, budget = layer.self_attn, head
        shared = width * heads * rank // (width + heads * budget)
        for name, old_OD in before.items():
            linear, found = getattr(attention, name), seen.outputs[f"self_attn.{name}"]
            # The covariance of the new outputs, from that of the old ones: both are linear in the same inputs.
            map_OO = torch.linalg.solve(old_OD, linear.weight.detach().double(), left=False)
            covariance = map_OO @ found.covariance() @ map_OO.mT
            bias = linear.bias.detach() if linear.bias is not None else torch.zeros(linear.out_features)
            cut = twins.cut_linear_by_outputs(linear.weight.detach(), bias, covariance, found.input_mean(), shared)
            setattr(attention, name, thin(cut))

    return apply


def twin_without_refit(rank: int) -> Form:
    """The value-output twin of each head for itself; heads do not make up for each other."""

    def apply(layer: Any, seen: Seen) -> None:
        attention = layer.self_attn
        h, mean_D = attention.num_heads, seen.moments.attended.mean_N
        covariance_DD = seen.moments.attended.covariance
        value_HKD = attention.v_proj.weight.detach().double().unflatten(0, (h, -1))
        output_DE = attention.out_proj.weight.detach().double()
        output_HKD = output_DE.mT.unflatten(0, (h, -1))
        cut = twins.cut_twin(head_blocks(covariance_DD, h), output_HKD @ output_HKD.mT, rank)
        kept_DE = (cut.right_HKR.mT @ output_HKD).flatten(0, 1).mT
        lost_D = output_DE @ mean_D - kept_DE @ (torch.block_diag(*cut.left_HKR).mT @ mean_D)
        bias_D = attention.out_proj.bias.detach() + output_DE @ attention.v_proj.bias.detach().double() + lost_D
        before = {
            name: tensor for name, tensor in layer.state_dict().items() if not name.startswith("self_attn.v_proj")
        }
        state = before | {
            "self_attn.v_proj.weight": (cut.left_HKR.mT @ value_HKD).flatten(0, 1),
            "self_attn.out_proj.weight": kept_DE,
            "self_attn.out_proj.bias": bias_D,
        }
        _load(layer, BlockPlan(vo=rank), state)

    return apply


def values_not_attended(rank: int) -> Form:
    """The value-output twin under the moments of the values themselves, before attention averages them."""

    def apply(layer: Any, seen: Seen) -> None:
        found, bias_D = seen.outputs["self_attn.v_proj"], layer.self_attn.v_proj.bias.detach().double()
        mean_D = found.mean() - bias_D
        attended = VectorMoments(found.covariance() + torch.outer(mean_D, mean_D), mean_D)
        moments = replace(seen.moments, attended=attended)
        _cut(layer, seen, BlockPlan(vo=rank), moments, None)

    return apply


def value_and_output_alone(rank: int) -> Form:
    """Value and output matrix each on their own output axes, at the parameters of twins of `rank`."""

    def apply(layer: Any, seen: Seen) -> None:
        shared = layer.self_attn.num_heads * rank // 2
        for name in ("v_proj", "out_proj"):
            by_outputs(layer.self_attn, name, seen.outputs[f"self_attn.{name}"], shared)

    return apply


def neurons_by_energy(keep: int) -> Form:
    """Neurons of the least energy E[f²]·‖w‖² dropped, then the same refit."""

    def apply(layer: Any, seen: Seen) -> None:
        assert seen.moments.neurons is not None
        energy_F = seen.moments.neurons.second_NN.diagonal() * layer.fc2.weight.detach().double().square().sum(0)
        _cut(layer, seen, BlockPlan(neurons=keep), seen.moments, energy_F.argsort(descending=True))

    return apply


def ff_not_centred(rank: int) -> Form:
    """Whitened SVD of both feed-forward matrices under raw second moments."""

    def apply(layer: Any, seen: Seen) -> None:
        for name, inputs in (("fc1", seen.moments.ff_inputs), ("fc2", seen.moments.neurons)):
            assert inputs is not None
            linear, raw = getattr(layer, name), inputs.second_NN
            no_mean = torch.zeros(len(raw), dtype=raw.dtype)
            cut = twins.cut_linear(linear.weight.detach(), linear.bias.detach(), raw, no_mean, rank)
            setattr(layer, name, thin(cut))

    return apply


def by_outputs(parent: Any, name: str, found: OutputMoments, rank: int) -> None:
    """Replace one linear by its projection on the top axes of its centred outputs."""
    linear = getattr(parent, name)
    cut = twins.cut_linear_by_outputs(
        linear.weight.detach(), linear.bias.detach(), found.covariance(), found.input_mean(), rank
    )
    setattr(parent, name, thin(cut))


def _cut(layer: nn.Module, seen: Seen, plan: BlockPlan, moments: BlockMoments, order_F: Tensor | None) -> None:
    _load(layer, plan, factorize_block(layer, seen.block, plan, moments, order_F).state)


def _load(layer: nn.Module, plan: BlockPlan, state: dict[str, Tensor]) -> None:
    shrink(layer, "self_attn", plan.model_dump(), has_ff=True)
    layer.load_state_dict({name: tensor.float() for name, tensor in state.items()}, strict=False)

"""Feed-forward neurons pruned in closed form: which to drop, and how the output weights of the others make up for them.

Let f be the activations between the two matrices and y = W f + b. To drop neuron i and refit all others raises
E‖y - ŷ‖² by exactly ‖w_i‖² / [C⁻¹]_ii, where C is the covariance of f (the optimal brain surgeon, Hassibi and Stork
1993; for whole structures: ZipLM, Kurtic et al. 2023). The cheapest few neurons are dropped at a time, and a block
elimination then updates inverse and weights.

Everything is computed in float64. Shape letters: F neurons, N neurons kept, O outputs.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

DROPPED_ONE_IN = 64  # each pass over the inverse drops this share of the neurons left, not one: far fewer passes
# Added to the diagonal as a share of its mean: with two neurons that are always equal there would be no inverse.
RIDGE = 1e-6


@dataclass(frozen=True)
class NeuronCut:
    """The neurons kept, in their old order, and the second matrix on them: y ≈ `weight_ON` f_N + `bias_O`.

    `error` is the relative squared error of the centred output on the speech that C was measured on.
    """

    kept_N: Tensor
    weight_ON: Tensor
    bias_O: Tensor
    error: float


def rank(covariance_FF: Tensor, weight_OF: Tensor) -> Tensor:
    """Return order_F: the neurons, most needed first. The first n are the n to keep.

    Args:
        covariance_FF: centred covariance of the activations.
        weight_OF: the second matrix.
    """
    inverse, weight = torch.linalg.inv(ridged(covariance_FF.double())), weight_OF.double()
    alive = torch.arange(len(inverse), device=inverse.device)
    dropped: list[Tensor] = []
    while len(alive) > 1:
        loss_N = weight.square().sum(0) / inverse.diagonal().clamp_min(torch.finfo(inverse.dtype).tiny)
        cheapest = loss_N.argsort()
        count = max(1, len(alive) // DROPPED_ONE_IN)
        gone, stays = cheapest[:count], cheapest[count:].sort().values
        inverse, weight = eliminate(inverse, weight, gone, stays)
        dropped.append(alive[gone].flip(0))
        alive = alive[stays]
    return torch.cat([alive, *reversed(dropped)])


def prune(
    covariance_FF: Tensor, mean_F: Tensor, weight_OF: Tensor, bias_O: Tensor, order_F: Tensor, keep: int
) -> NeuronCut:
    """Keep the first `keep` neurons of the order, and refit the output by least squares.

    The mean of what is lost is added to the bias.

    Raises:
        ValueError: `keep` is not within 1..F.
    """
    if not 1 <= keep <= len(order_F):
        raise ValueError(f"{keep} neurons are not within 1 and {len(order_F)}")
    covariance_FF, mean_F, weight_OF = covariance_FF.double(), mean_F.double(), weight_OF.double()
    kept_N = order_F[:keep].sort().values
    dropped = torch.ones(len(mean_F), dtype=torch.bool, device=mean_F.device)
    dropped[kept_N] = False
    # The part of the dropped neurons that is linear in the kept ones is added to the kept columns.
    said_NO = covariance_FF[kept_N][:, dropped] @ weight_OF[:, dropped].mT
    added_ON = torch.linalg.solve(ridged(covariance_FF[kept_N][:, kept_N]), said_NO).mT
    weight_ON = weight_OF[:, kept_N] + added_ON
    lost_OF = weight_OF.clone()
    lost_OF[:, kept_N] -= weight_ON
    lost = (lost_OF @ covariance_FF * lost_OF).sum()
    whole = (weight_OF @ covariance_FF * weight_OF).sum()
    error = float(lost / whole.clamp_min(torch.finfo(whole.dtype).tiny))
    return NeuronCut(kept_N, weight_ON, bias_O.double() + lost_OF @ mean_F, error)


def eliminate(inverse_FF: Tensor, weight_OF: Tensor, gone: Tensor, stays: Tensor) -> tuple[Tensor, Tensor]:
    """Return the inverse covariance and the refitted weights of the indices that stay, once the others are dropped."""
    pivot = torch.linalg.solve(inverse_FF[gone][:, gone], inverse_FF[gone][:, stays])
    inverse = inverse_FF[stays][:, stays] - inverse_FF[stays][:, gone] @ pivot
    return inverse, weight_OF[:, stays] - weight_OF[:, gone] @ pivot


def ridged(covariance: Tensor) -> Tensor:
    """Return the covariance with a small ridge on its diagonal, so that it has an inverse."""
    ridge = RIDGE * covariance.diagonal().mean()
    return covariance + ridge * torch.eye(len(covariance), dtype=covariance.dtype, device=covariance.device)

"""Feed-forward neurons pruned in closed form: which to drop, and output weights refitted to what the others still say.

With f the activations between the two matrices and y = W f + b, dropping neuron i and refitting all others raises
E‖y - ŷ‖² by exactly ‖w_i‖² / [C⁻¹]_ii, where C is the centred covariance of f (the optimal brain surgeon, Hassibi and
Stork 1993; for structures: ZipLM, Kurtic et al. 2023). Neurons go a few at a time, the cheapest first, and inverse
and weights follow by a block elimination.

Everything is computed in float64. Shape letters: F neurons, N neurons kept, O outputs.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

DROPPED_ONE_IN = 64  # of those left, at a time: one by one would take that many more passes over the inverse
# Added to the diagonal as a share of its mean: neurons that say the same would have no inverse.
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
    """Keep the first `keep` neurons of the order and refit: least squares on them, the lost part's mean to the bias.

    Raises:
        ValueError: `keep` is not within 1..F.
    """
    if not 1 <= keep <= len(order_F):
        raise ValueError(f"{keep} neurons are not within 1 and {len(order_F)}")
    covariance_FF, mean_F, weight_OF = covariance_FF.double(), mean_F.double(), weight_OF.double()
    kept_N = order_F[:keep].sort().values
    dropped = torch.ones(len(mean_F), dtype=torch.bool, device=mean_F.device)
    dropped[kept_N] = False
    # What the dropped ones said, as far as the kept ones can say it, is added to the kept columns.
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
    """Return inverse covariance and refitted weights of what stays (indices), once the rest is dropped."""
    pivot = torch.linalg.solve(inverse_FF[gone][:, gone], inverse_FF[gone][:, stays])
    inverse = inverse_FF[stays][:, stays] - inverse_FF[stays][:, gone] @ pivot
    return inverse, weight_OF[:, stays] - weight_OF[:, gone] @ pivot


def ridged(covariance: Tensor) -> Tensor:
    """Return the covariance with a small ridge, so that it has an inverse."""
    ridge = RIDGE * covariance.diagonal().mean()
    return covariance + ridge * torch.eye(len(covariance), dtype=covariance.dtype, device=covariance.device)

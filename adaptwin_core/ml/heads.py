"""Which heads of an attention to keep.

With z the attended values of all heads and y = W z + b, dropping the columns g of one head and refitting all others
raises E‖y - ŷ‖² by exactly tr(W_g [C⁻¹_gg]⁻¹ W_gᵀ), where C is the centred covariance of z: the optimal brain surgeon
of neurons.py, a head at a time.

Shape letters: H heads, E columns of all heads, D width.
"""

import torch
from torch import Tensor

# Added to the diagonal as a share of its mean: heads that say the same would have no inverse.
RIDGE = 1e-6


def rank(covariance_EE: Tensor, output_DE: Tensor, num_heads: int) -> Tensor:
    """Return order_H: the heads, most needed first. The first n are the n to keep.

    Args:
        covariance_EE: centred covariance of the attended values.
        output_DE: the output matrix.
    """
    covariance = covariance_EE.double()
    ridge = RIDGE * covariance.diagonal().mean()
    inverse = torch.linalg.inv(covariance + ridge * torch.eye(len(covariance)).to(covariance))
    weight, size = output_DE.double(), len(covariance) // num_heads
    alive, dropped = list(range(num_heads)), []
    while len(alive) > 1:
        columns = [slice(i * size, (i + 1) * size) for i in range(len(alive))]
        losses = [torch.trace(weight[:, g] @ torch.linalg.solve(inverse[g, g], weight[:, g].mT)) for g in columns]
        cheapest = int(torch.stack(losses).argmin())
        gone = columns[cheapest]
        stays = torch.ones(len(inverse), dtype=torch.bool, device=inverse.device)
        stays[gone] = False
        pivot = torch.linalg.solve(inverse[gone, gone], inverse[gone][:, stays])
        weight = weight[:, stays] - weight[:, gone] @ pivot
        inverse = inverse[stays][:, stays] - inverse[stays][:, gone] @ pivot
        dropped.append(alive.pop(cheapest))
    return torch.tensor([*alive, *reversed(dropped)], device=covariance.device)

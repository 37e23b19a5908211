"""The order in which heads of an attention are pruned.

Let z be the attended values of all heads and y = W z + b. To drop the columns g of one head and refit all others raises
E‖y - ŷ‖² by exactly tr(W_g [C⁻¹_gg]⁻¹ W_gᵀ), where C is the covariance of z. This is the optimal brain surgeon of
neurons.py, a head at a time.

Shape letters: H heads, E columns of all heads, D width.
"""

import torch
from torch import Tensor

from adaptwin_core.ml.compression.neurons import eliminate, ridged


def rank(covariance_EE: Tensor, output_DE: Tensor, num_heads: int) -> Tensor:
    """Return order_H: the heads, most needed first. The first n are the n to keep.

    Args:
        covariance_EE: centred covariance of the attended values.
        output_DE: the output matrix.
    """
    inverse, weight = torch.linalg.inv(ridged(covariance_EE.double())), output_DE.double()
    size = len(inverse) // num_heads
    alive, dropped = list(range(num_heads)), []
    while len(alive) > 1:
        columns = torch.arange(len(inverse), device=inverse.device).split(size)
        losses = [torch.trace(weight[:, g] @ torch.linalg.solve(inverse[g][:, g], weight[:, g].mT)) for g in columns]
        cheapest = int(torch.stack(losses).argmin())
        stays = torch.cat([*columns[:cheapest], *columns[cheapest + 1 :]])
        inverse, weight = eliminate(inverse, weight, columns[cheapest], stays)
        dropped.append(alive.pop(cheapest))
    return torch.tensor([*alive, *reversed(dropped)], device=covariance_EE.device)

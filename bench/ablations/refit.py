"""Sequential refit: each layer's output matrices again, by least squares on what the smaller layers below give.

Shape letters: T positions of all windows, D width, I inputs of the refitted matrix.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

RIDGE = 1e-5  # of the mean diagonal


@torch.no_grad()
def refit_sequentially(model: Any, original: Any, windows: Sequence[Tensor]) -> None:
    """Refit `out_proj` and `fc2` of every encoder layer in place, first to last, to give the original's hidden states.

    Args:
        windows: features_1MT.
    """
    before = [_embedded(original, window) for window in windows]
    wanted_by_layer: list[list[tuple[Tensor, Tensor]]] = []
    for layer in original.model.encoder.layers:
        attended = [_attend(layer, hidden) for hidden in before]
        after = [_feed(layer, hidden) for hidden in attended]
        wanted_by_layer.append(list(zip(attended, after, strict=True)))
        before = after
    hidden = [_embedded(original, window) for window in windows]
    for layer, wanted in zip(model.model.encoder.layers, wanted_by_layer, strict=True):
        for linear, run, which in ((layer.self_attn.out_proj, _attend, 0), (layer.fc2, _feed, 1)):
            _refit(linear, layer, run, hidden, [pair[which] for pair in wanted])
            hidden = [run(layer, x) for x in hidden]


def _refit(
    linear: nn.Linear, layer: Any, run: Callable[[Any, Tensor], Tensor], hidden: list[Tensor], wanted: list[Tensor]
) -> None:
    """Least squares of `linear` so that `run` gives what is wanted, residual stream included."""
    seen: list[Tensor] = []
    handle = linear.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0].flatten(0, 1).double()))
    size = linear.in_features + 1
    gram = torch.zeros(size, size, dtype=torch.float64)
    cross = torch.zeros(size, linear.out_features, dtype=torch.float64)
    for x_1TD, wanted_1TD in zip(hidden, wanted, strict=True):
        run(layer, x_1TD)
        inputs_TI = torch.cat([seen.pop(), torch.ones(x_1TD.shape[1], 1, dtype=torch.float64)], -1)
        gram += inputs_TI.mT @ inputs_TI
        cross += inputs_TI.mT @ (wanted_1TD - x_1TD).flatten(0, 1).double()
    handle.remove()
    ridge = RIDGE * gram.diagonal().mean() * torch.eye(len(gram), dtype=gram.dtype)
    # Towards the weights that are there, not towards zero.
    there = torch.cat([linear.weight.double(), linear.bias.double().unsqueeze(1)], -1)
    solved = torch.linalg.solve(gram + ridge, cross + ridge @ there.mT).mT
    linear.weight.copy_(solved[:, :-1])
    linear.bias.copy_(solved[:, -1])


def _embedded(model: Any, features_1MT: Tensor) -> Tensor:
    caught: list[Tensor] = []

    def catch(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        caught.append(inputs[0])
        raise _Caught

    handle = model.model.encoder.layers[0].register_forward_pre_hook(catch)
    try:
        model.model.encoder(features_1MT)
    except _Caught:
        pass
    finally:
        handle.remove()
    return caught[0]


class _Caught(Exception):
    """The hidden states are caught: nothing after them is needed."""


def _attend(layer: Any, hidden: Tensor) -> Tensor:
    attended: Tensor = layer.self_attn(layer.self_attn_layer_norm(hidden))[0]
    return hidden + attended


def _feed(layer: Any, hidden: Tensor) -> Tensor:
    fed: Tensor = layer.fc2(nn.functional.gelu(layer.fc1(layer.final_layer_norm(hidden))))
    return hidden + fed

"""What every matrix of a finished model is given on real speech: by that its 4-bit weights are rounded.

Shape letters: I inputs of a linear layer, N positions.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from adaptwin_core.ml.model.adapter import encode
from adaptwin_core.ml.training.lessons import AnyWindow, Lessons
from adaptwin_core.ml.training.teacher import Teacher, decode

NUM_WINDOWS = 16  # of each kind of speech
# Of the inputs' mean square, added to each for every input a position: docs/history.md, "Fewer bits".
SHRINKAGE = 0.3

Shares = Sequence[tuple[AnyWindow, float]]


def windows_to_hear(lessons: Lessons, speaker_weight: float) -> Shares:
    """Return the first windows of each kind, and how much each counts: 1 in all.

    Args:
        speaker_weight: of the speaker's; what is left is that of others. A kind that has no windows leaves its weight
            to the other.
    """
    weights = ((lessons.speaker, speaker_weight), (lessons.general, 1 - speaker_weight))
    kinds = [(windows[:NUM_WINDOWS], weight) for windows, weight in weights if windows]
    total = sum(weight for _, weight in kinds)
    shares = [(windows, weight / total if total > 0 else 1.0) for windows, weight in kinds]
    return [(window, share / len(windows)) for windows, share in shares if share > 0 for window in windows]


@torch.no_grad()
def measure_inputs(
    model: Any, teacher: Teacher, shares: Shares, on_window: Callable[[int], None] = lambda _done: None
) -> dict[str, Tensor]:
    """Return E[x·xᵀ]_II of every linear layer's inputs, by the name of its weight, shrunk towards white.

    Of a decoder's inputs a window has some 75 positions: where they are few beside the inputs themselves, many
    directions seem to be free which are not (Ledoit and Wolf 2004). The shares' effective count decides.

    Args:
        on_window: called with the number of windows heard; may raise to stop.
    """
    moments: dict[str, Tensor] = {}
    noise: dict[str, float] = {}  # one over the positions, as many of one share would be
    # What two layers share is named once, as it is stored: the token embedding.
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    share = 0.0

    def watch(name: str) -> Callable[..., None]:
        def add(_module: nn.Module, given: tuple[Tensor, ...]) -> None:
            x_NI = given[0].flatten(0, -2).float()
            moment_II = (x_NI.mT @ x_NI).mul_(share / len(x_NI))
            moments[name] = moments[name].add_(moment_II) if name in moments else moment_II
            noise[name] = noise.get(name, 0.0) + share**2 / len(x_NI)

        return add

    linears = [module for module in model.modules() if isinstance(module, nn.Linear)]
    handles = [linear.register_forward_pre_hook(watch(names[id(linear.weight)])) for linear in linears]
    teacher.expect(window for window, _ in shares)
    try:
        for done, (window, share) in enumerate(shares, start=1):  # noqa: B007  # the hooks read the share
            _hear(model, teacher, window)
            on_window(done)
    finally:
        for handle in handles:
            handle.remove()
    for name, moment_II in moments.items():
        diagonal_I = moment_II.diagonal()
        diagonal_I += SHRINKAGE * len(diagonal_I) * noise[name] * diagonal_I.mean()
    return moments


def _hear(model: Any, teacher: Teacher, window: AnyWindow) -> None:
    heard = teacher.hear(window)
    encoded_1SD = encode(model, heard.features_1MT.float())
    model.proj_out(decode(model, heard.labels_1L[:, :-1], encoded_1SD))

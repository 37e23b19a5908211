"""Second moments of the inputs of every linear layer on real speech, by which 4-bit weights are rounded.

Shape letters: I inputs of a linear layer, N positions.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from adaptwin_core.domain.progress import Progress, no_progress
from adaptwin_core.ml.model.adapter import decode, encode, token_logits
from adaptwin_core.ml.training.mixture import AnyWindow, Mixture
from adaptwin_core.ml.training.teacher import Teacher

NUM_WINDOWS = 16  # of each kind of speech
# Each input's mean square is raised by this share of the mean over all inputs, for every input per position:
# docs/history.md, "Fewer bits".
SHRINKAGE = 0.3

Shares = Sequence[tuple[AnyWindow, float]]


def weighted_windows(mixture: Mixture, speaker_weight: float) -> Shares:
    """Return the first windows of each kind of speech, and the weight of each. The weights sum to 1.

    Args:
        speaker_weight: of all the speaker's windows together; general speech has the rest. A kind without windows
            leaves its weight to the other.
    """
    weights = ((mixture.speaker, speaker_weight), (mixture.general, 1 - speaker_weight))
    kinds = [(windows[:NUM_WINDOWS], weight) for windows, weight in weights if windows]
    total = sum(weight for _, weight in kinds)
    shares = [(windows, weight / total if total > 0 else 1.0) for windows, weight in kinds]
    return [(window, share / len(windows)) for windows, share in shares if share > 0 for window in windows]


@torch.no_grad()
def measure_input_moments(
    model: Any, teacher: Teacher, shares: Shares, progress: Progress = no_progress
) -> dict[str, Tensor]:
    """Return E[x·xᵀ]_II of every linear layer's inputs, by the name of its weight, shrunk towards white.

    With c inputs of mean square m over n effective positions (1 / n = Σ share² / positions), `SHRINKAGE` · c / n · m is
    added to the diagonal (Ledoit and Wolf 2004). A window gives a decoder only some 75 positions. Where n is not much
    larger than c, the plain estimate finds no energy in directions that have some.

    Args:
        progress: told of windows.
    """
    moments: dict[str, Tensor] = {}
    inverse_count: dict[str, float] = {}  # 1 / n
    # A tensor that two layers share has the name it is stored under: output layer and token embedding.
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    share = 0.0

    def watch(name: str) -> Callable[..., None]:
        def add(_module: nn.Module, given: tuple[Tensor, ...]) -> None:
            x_NI = given[0].flatten(0, -2).float()
            moment_II = (x_NI.mT @ x_NI).mul_(share / len(x_NI))
            moments[name] = moments[name].add_(moment_II) if name in moments else moment_II
            inverse_count[name] = inverse_count.get(name, 0.0) + share**2 / len(x_NI)

        return add

    linears = [module for module in model.modules() if isinstance(module, nn.Linear)]
    handles = [linear.register_forward_pre_hook(watch(names[id(linear.weight)])) for linear in linears]
    teacher.expect(window for window, _ in shares)
    try:
        for done, (window, share) in enumerate(shares, start=1):  # noqa: B007  # the hooks read the share
            _run(model, teacher, window)
            progress(done, len(shares))
    finally:
        for handle in handles:
            handle.remove()
    for name, moment_II in moments.items():
        diagonal_I = moment_II.diagonal()
        diagonal_I += SHRINKAGE * len(diagonal_I) * inverse_count[name] * diagonal_I.mean()
    return moments


def _run(model: Any, teacher: Teacher, window: AnyWindow) -> None:
    example = teacher.example(window)
    encoded_1SD = encode(model, example.features_1MT.float())
    token_logits(model, decode(model, example.labels_1L[:, :-1], encoded_1SD))

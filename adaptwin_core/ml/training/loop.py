"""The training loop: a student learns from a teacher and from transcripts, whichever of its parameters are trained.

Each step takes one batch of packed windows:

    loss = w_enc · relative error of the encoder's output          (stay near the teacher's encoder)
         + w_kl  · KL(teacher ‖ student) on the next token          (stay near the teacher's decoder)
         + w_ce  · cross-entropy on the transcript                  (learn the speaker, where the teacher may be wrong)

The weights w depend on the kind of window (mixture.py). Shape letters: S encoder positions, D width, L tokens,
V vocabulary.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from adaptwin_core.domain.progress import Progress
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.work import NUM_CHECKS
from adaptwin_core.ml.model.adapter import decode, encode, token_logits
from adaptwin_core.ml.model.precision import quick_products
from adaptwin_core.ml.training.adapters import without_wrapper
from adaptwin_core.ml.training.mixture import AnyWindow, LossWeights, Mixture
from adaptwin_core.ml.training.schedule import cosine_schedule
from adaptwin_core.ml.training.teacher import Teacher

RATE_DIVISOR = (
    3.0  # where a check is worse than the start, training returns to the best model and divides the rate by this
)

Checks = list[tuple[int, float]]  # step and validation loss
OnStep = Callable[[int, float], None]  # called with the step and its loss; may raise to stop


def recording_losses(losses: list[float], progress: Progress, total: int, *, before: int = 0) -> OnStep:
    """Return a callback that appends each step's loss to `losses` and tells `progress`.

    Args:
        before: steps of other work that were done before; `total` counts them too.
    """

    def on_step(step: int, loss: float) -> None:
        losses.append(round(loss, 4))
        progress(before + step, total, loss=losses[-1])

    return on_step


def train(
    running: Any,
    parameters: list[nn.Parameter],
    teacher: Teacher,
    mixture: Mixture,
    spec: CompressionSpec,
    *,
    num_steps: int,
    rate: float,
    on_step: OnStep,
) -> Checks:
    """Train `parameters` of the model `running` for `num_steps` steps of `spec.tune_batch` windows, in place.

    The validation loss is taken before the first step, after the last and in between, and the model ends as the best of
    these. Where a check is worse than the start, training returns to the best model and goes on in smaller steps: a
    rate that suits a speaker far from the original is too large for one near it. Where no windows of the speaker are
    kept for validation, the model ends as the last step leaves it.

    Args:
        rate: of AdamW at the start; it falls along a cosine.
    """
    optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=0.0)
    schedule = cosine_schedule(optimizer, num_steps)
    order = mixture.order(spec, num_steps)
    validation = [window for windows, _ in mixture.validation() for window in windows]
    teacher.expect([*validation, *(window for window, _ in order)])
    check_every = max(1, num_steps // NUM_CHECKS)
    best = _Best(parameters)
    best.judge(0, _validation_loss(running, teacher, mixture))
    for step in range(1, num_steps + 1):
        running.train()
        total = 0.0
        for window, weights in order[(step - 1) * spec.tune_batch : step * spec.tune_batch]:
            loss = _loss(running, teacher, window, weights, quick_products(parameters[0].device)) / spec.tune_batch
            loss.backward()
            total += float(loss.detach())
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        schedule.step()
        on_step(step, total)
        is_check = step % check_every == 0 or step == num_steps
        if is_check and not best.judge(step, _validation_loss(running, teacher, mixture)):
            best.restore()
            _take_smaller_steps(optimizer, schedule)
    best.restore()
    return best.checks


def _take_smaller_steps(optimizer: torch.optim.Optimizer, schedule: torch.optim.lr_scheduler.LambdaLR) -> None:
    """Divide the rate from the next step on, and reset the optimizer's moments, which belong to the undone steps."""
    schedule.base_lrs = [rate / RATE_DIVISOR for rate in schedule.base_lrs]
    for group in optimizer.param_groups:
        group["lr"] /= RATE_DIVISOR
    optimizer.state.clear()


class _Best:
    """The parameters with the least validation loss so far."""

    def __init__(self, parameters: list[nn.Parameter]) -> None:
        self.checks: list[tuple[int, float]] = []
        self._parameters = parameters
        self._kept: list[Tensor] = []

    def judge(self, step: int, loss: float | None) -> bool:
        """Note the loss and copy the parameters if it is the least. Return whether training can go on from here.

        It can as long as the loss is not above that of the start. It may be above the best: while the rate is high,
        steps lead past an optimum, and the small steps at the end of the schedule come back to it.
        """
        if loss is None:
            return True
        if not self.checks or loss < min(seen for _, seen in self.checks):
            self._kept = [parameter.detach().clone() for parameter in self._parameters]
        self.checks.append((step, round(loss, 5)))
        _, start = self.checks[0]
        return loss <= start

    @torch.no_grad()
    def restore(self) -> None:
        for parameter, kept in zip(self._parameters, self._kept, strict=bool(self._kept)):
            parameter.copy_(kept)


@torch.no_grad()
def _validation_loss(running: Any, teacher: Teacher, mixture: Mixture) -> float | None:
    """Return the mean of both kinds of speech's mean loss on validation windows.

    None where the speaker has none: general speech alone would choose the model that has learnt least of the speaker.
    """
    if not mixture.speaker_validation:
        return None
    running.eval()
    means = [
        sum(float(_loss(running, teacher, window, weights, nullcontext())) for window in windows) / len(windows)
        for windows, weights in mixture.validation()
    ]
    return sum(means) / len(means)


def _loss(
    running: Any, teacher: Teacher, window: AnyWindow, weights: LossWeights, products: AbstractContextManager[Any]
) -> Tensor:
    student = without_wrapper(running)
    example = teacher.example(window)
    inputs_1L, targets_1L = example.labels_1L[:, :-1], example.labels_1L[:, 1:]
    target_1SD = example.encoded_1SD.float()
    with products:
        encoded_1SD = encode(student, example.features_1MT.float())
        logits_1LV = token_logits(student, decode(student, inputs_1L, encoded_1SD))
    encoded_1SD, logits_1LV = encoded_1SD.float(), logits_1LV.float()
    loss: Tensor = weights.encoder * (encoded_1SD - target_1SD).square().sum() / target_1SD.square().sum()
    # The log-softmax over the whole vocabulary is expensive: it is computed once for both losses.
    said_1LV = logits_1LV.log_softmax(-1)
    if weights.kl:
        kl_1LV = nn.functional.kl_div(said_1LV, teacher.log_probs(example), log_target=True, reduction="none")
        loss = loss + weights.kl * kl_1LV.sum(-1).mean()
    asked_L = slice(example.num_prompt - 1, None)
    return loss + weights.ce * nn.functional.nll_loss(said_1LV[0, asked_L], targets_1L[0, asked_L])

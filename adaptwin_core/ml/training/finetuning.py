"""Fine-tuning end to end, before the cut and after it.

Before the cut the whole model learns its speaker, and the original teaches. After the cut that model is the teacher.
Either the layers' own weights are trained, or LoRA adapters on them, which are merged at the end. Both keep the model's
size. loop.py has the loss and the steps.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers import WhisperForConditionalGeneration

from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.ml.model.adapter import is_in_a_layer
from adaptwin_core.ml.training.adapters import merged, trained_parameters, with_adapters
from adaptwin_core.ml.training.loop import Checks, OnStep, train
from adaptwin_core.ml.training.mixture import Mixture
from adaptwin_core.ml.training.teacher import Teacher


@dataclass(frozen=True)
class Tuned:
    """The model with the least validation loss, and every check."""

    model: WhisperForConditionalGeneration
    checks: Checks


def finetune(
    student: WhisperForConditionalGeneration,
    teacher: Teacher,
    mixture: Mixture,
    spec: CompressionSpec,
    *,
    num_steps: int,
    on_step: OnStep = lambda _step, _loss: None,
) -> Tuned:
    """Train for `num_steps` steps and return the student with the least validation loss, adapters merged.

    Without windows of the speaker, or without steps, the student is returned as it is.
    """
    if num_steps == 0 or not mixture.speaker:
        return Tuned(student, [])
    torch.manual_seed(spec.seed)
    running, parameters = _trainable(student, spec)
    rate = spec.tune_rate
    checks = train(running, parameters, teacher, mixture, spec, num_steps=num_steps, rate=rate, on_step=on_step)
    return Tuned(merged(running).requires_grad_(False).eval(), checks)


def _trainable(student: WhisperForConditionalGeneration, spec: CompressionSpec) -> tuple[Any, list[nn.Parameter]]:
    """Return the model to run and the parameters to train: all layers', or those of adapters on their linear layers."""
    student.requires_grad_(False)
    if spec.tune_method == "adapters":
        adapted = with_adapters(student, is_in_a_layer, spec.lora_rank)
        return adapted, trained_parameters(adapted)
    parameters = [p for name, p in student.named_parameters() if is_in_a_layer(name)]
    for parameter in parameters:
        parameter.requires_grad_(True)
    return student, parameters

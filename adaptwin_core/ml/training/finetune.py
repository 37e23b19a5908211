"""Training end to end, before the cut and after it: a model learns from a teacher and from the speaker's transcripts.

Before the cut the whole model learns its speaker, taught by the original; what is cut of it is then taught by it.
Either the layers themselves are trained, or LoRA adapters on them (through peft) that are merged at the end; both
keep the model's size. How a step goes: training.py.
"""

from dataclasses import dataclass
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import nn
from transformers import WhisperForConditionalGeneration

from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.ml.compression.layers import LORA_ALPHA_PER_RANK
from adaptwin_core.ml.training.lessons import Lessons
from adaptwin_core.ml.training.teacher import Teacher
from adaptwin_core.ml.training.training import Checks, OnStep, train


@dataclass(frozen=True)
class Tuned:
    """The tuned model, and every check; the model is that of the least held-back loss."""

    model: WhisperForConditionalGeneration
    checks: Checks


def finetune(
    student: WhisperForConditionalGeneration,
    teacher: Teacher,
    lessons: Lessons,
    spec: CompressionSpec,
    *,
    num_steps: int,
    on_step: OnStep = lambda _step, _loss: None,
) -> Tuned:
    """Train for `num_steps` steps and return the best student met, merged."""
    if num_steps == 0 or not lessons.speaker:
        return Tuned(student, [])
    torch.manual_seed(spec.seed)
    running, parameters = _trainable(student, spec)
    rate = spec.tune_rate
    checks = train(running, parameters, teacher, lessons, spec, num_steps=num_steps, rate=rate, on_step=on_step)
    return Tuned(_merged(running).eval(), checks)


def _trainable(student: WhisperForConditionalGeneration, spec: CompressionSpec) -> tuple[Any, list[nn.Parameter]]:
    """Return the model to run and what is trained in it: all layers, or adapters on their linears."""
    student.requires_grad_(False)
    if spec.tune_method == "adapters":
        linears = [name for name, module in student.named_modules() if isinstance(module, nn.Linear)]
        adapted = get_peft_model(
            student,
            LoraConfig(
                r=spec.lora_rank,
                lora_alpha=LORA_ALPHA_PER_RANK * spec.lora_rank,
                target_modules=[name for name in linears if ".layers." in name],
            ),
        )
        return adapted, [p for p in adapted.parameters() if p.requires_grad]
    parameters = [p for name, p in student.named_parameters() if ".layers." in name]
    for parameter in parameters:
        parameter.requires_grad_(True)
    return student, parameters


def _merged(running: Any) -> WhisperForConditionalGeneration:
    if isinstance(running, PeftModel):
        running = running.merge_and_unload()
    model: WhisperForConditionalGeneration = running.requires_grad_(False)
    return model

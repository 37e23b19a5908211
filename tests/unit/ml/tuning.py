"""Training end to end of a small random model, cut by a third, on three windows of one clip."""

import torch

from adaptwin_core.domain.planner import make_plan
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.ml.model.adapter import shape_of
from adaptwin_core.ml.model.windows import Window
from adaptwin_core.ml.training.finetuning import finetune
from adaptwin_core.ml.training.mixture import Mixture
from adaptwin_core.ml.training.teacher import Teacher
from tests.fake_speech import Speech, new_clip
from tests.unit.ml.conftest import random_whisper
from tests.unit.ml.cut_models import compress


class Words:
    """Tokens by the letters, as a model of 96 tokens has no tokenizer; every clip sounds alike."""

    def features(self, audios):
        return torch.randn(1, 8, 60, generator=torch.Generator().manual_seed(7))

    def prompt(self):
        return [3]

    def labels(self, text, *, may_cut=False):
        return torch.tensor([[3, *(4 + (ord(c) % 90) for c in text), 2]])


def window_of(*clips):
    return Window(Speech(clips), clips)


def three_windows():
    return [window_of(new_clip(i, f"abc{i}")) for i in range(3)]


def window_of_other_words():
    """A window to judge by: its words are unlike those of the windows that are learnt from."""
    return window_of(new_clip("u", "MNOPQR", "valid"))


def tune(windows, validation=(), num_steps=40, **spec):
    """Tune the cut model by the whole one; return what `finetune` does, and every step's loss."""
    teacher = random_whisper()
    settings = CompressionSpec.model_validate(
        {"plan": "uniform", "encoder_cut": 0.3, "tune_learning_rate": 3e-3, "lora_rank": 4} | spec
    )
    student = compress(teacher, make_plan(settings, shape_of(teacher.config)), None)
    size, losses = student.num_parameters(), []
    tuned = finetune(
        student,
        Teacher(teacher, Words()),
        Mixture(windows, [], validation),
        settings,
        num_steps=num_steps,
        on_step=lambda _step, loss: losses.append(loss),
    )
    assert tuned.model.num_parameters() == size
    assert not tuned.model.training
    return tuned, losses

"""The end-to-end phase on a small model: it learns, keeps its size, and repeats exactly."""

import numpy as np
import pytest
import torch

from adaptwin_core.domain.planner import make_plan
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.ml.adapter import shape_of
from adaptwin_core.ml.finetune import finetune
from adaptwin_core.ml.windows import Window
from adaptwin_core.speech.corpus import Clip
from tests.unit.ml.conftest import random_whisper
from tests.unit.ml.test_factorize import compress


class Speech:
    def audio(self, clip):
        return np.zeros(16_000, np.float32)


class Words:
    """Features and tokens by the window's number, in place of a tokenizer that a model of 96 tokens does not have."""

    def features(self, audios):
        return torch.randn(1, 8, 60, generator=torch.Generator().manual_seed(7))

    def labels(self, text):
        return torch.tensor([[3, *(4 + (ord(c) % 90) for c in text), 2]])


@pytest.fixture
def windows():
    speech = Speech()
    return [Window(speech, (Clip(str(i), str(i), f"abc{i}", "train", "s", 0, 16_000),)) for i in range(3)]


def tune(windows, **spec):
    teacher = random_whisper()
    settings = CompressionSpec(
        plan="uniform", encoder_cut=0.3, tune_steps=40, tune_learning_rate=3e-3, lora_rank=4, **spec
    )
    student = compress(teacher, make_plan(settings, shape_of(teacher.config)), None)
    size = student.num_parameters()
    losses = []
    tuned = finetune(student, teacher, Words(), windows, [], settings, on_step=lambda _step, loss: losses.append(loss))
    assert tuned.num_parameters() == size
    return tuned, losses


def test_the_loss_falls_and_the_size_stays(windows):
    _, losses = tune(windows)
    assert len(losses) == 40
    assert sum(losses[-5:]) < 0.7 * sum(losses[:5])


def test_the_same_seed_gives_the_same_weights(windows):
    first, second = tune(windows)[0].state_dict(), tune(windows)[0].state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)

"""Training end to end on a small model: it learns, keeps its size, and repeats exactly."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from adaptwin_core.domain.planner import make_plan
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.ml.model import windows as windows_module
from adaptwin_core.ml.model.adapter import shape_of
from adaptwin_core.ml.model.windows import Window
from adaptwin_core.ml.training.finetuning import finetune
from adaptwin_core.ml.training.mixture import Mixture
from adaptwin_core.ml.training.teacher import Teacher
from adaptwin_core.speech.corpus import Clip
from tests.unit.ml.conftest import random_whisper
from tests.unit.ml.test_factorization import compress


class Speech:
    digest = "speech"

    def audio(self, clip):
        return np.zeros(16_000, np.float32)


class Words:
    """Features and tokens by the window's number, in place of a tokenizer that a model of 96 tokens does not have."""

    def features(self, audios):
        return torch.randn(1, 8, 60, generator=torch.Generator().manual_seed(7))

    def prompt(self):
        return [3]

    def labels(self, text, *, may_cut=False):
        return torch.tensor([[3, *(4 + (ord(c) % 90) for c in text), 2]])


@pytest.fixture
def windows():
    speech = Speech()
    return [Window(speech, (Clip(str(i), str(i), f"abc{i}", "train", "s", 0, 16_000),)) for i in range(3)]


def tune(windows, held_back=(), num_steps=40, **spec):
    teacher = random_whisper()
    settings = CompressionSpec.model_validate(
        {"plan": "uniform", "encoder_cut": 0.3, "tune_learning_rate": 3e-3, "lora_rank": 4} | spec
    )
    student = compress(teacher, make_plan(settings, shape_of(teacher.config)), None)
    size, losses = student.num_parameters(), []
    tuned = finetune(
        student,
        Teacher(teacher, Words()),
        Mixture(windows, [], held_back),
        settings,
        num_steps=num_steps,
        on_step=lambda _step, loss: losses.append(loss),
    )
    assert tuned.model.num_parameters() == size
    assert not tuned.model.training
    return tuned, losses


@pytest.mark.parametrize("method", ["factors", "adapters"])
def test_the_loss_falls_and_the_size_stays(windows, method):
    _, losses = tune(windows, tune_method=method)
    assert len(losses) == 40
    assert sum(losses[-5:]) < 0.7 * sum(losses[:5])


def test_short_windows_are_learnt_from(windows, monkeypatch):
    monkeypatch.setattr(windows_module, "FRAMES_PER_S", 10)  # a small Whisper has 60 of them
    short = [replace(window, is_short=True) for window in windows]
    teacher = Teacher(random_whisper(), Words())
    assert teacher.example(short[0]).features_1MT.shape[-1] == 40
    spec = CompressionSpec(tune_learning_rate=3e-3, lora_rank=4)
    losses = []
    finetune(
        random_whisper(seed=1),
        teacher,
        Mixture(windows, [], speaker_short=short),
        spec,
        num_steps=20,
        on_step=lambda _step, loss: losses.append(loss),
    )
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])


@pytest.mark.parametrize("method", ["factors", "adapters"])
def test_the_same_seed_gives_the_same_weights(windows, method):
    first, second = (tune(windows, tune_method=method)[0].model.state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("method", ["factors", "adapters"])
def test_the_model_given_back_is_the_one_of_the_least_held_back_loss(windows, method):
    """On words unlike those it learns, the last step is not the best; a second run's first check judges the result."""
    unlike = [Window(Speech(), (Clip("u", "u", "MNOPQR", "valid", "s", 0, 16_000),))]
    tuned, _ = tune(windows, unlike, num_steps=32, tune_method=method, tune_learning_rate=0.03)
    losses = [loss for _, loss in tuned.checks]
    assert [step for step, _ in tuned.checks] == [0, 8, 16, 24, 32]
    assert min(losses) < max(losses[1:])
    spec = CompressionSpec(tune_learning_rate=1e-9)
    again = finetune(tuned.model, Teacher(random_whisper(), Words()), Mixture(windows, [], unlike), spec, num_steps=1)
    assert again.checks[0][1] == pytest.approx(min(losses), rel=1e-3)


def test_steps_that_are_too_long_are_taken_back_and_shortened(windows):
    """A model judged on words unlike those it learns only loses: each return to it leads less far away."""
    unlike = [Window(Speech(), (Clip("u", "u", "MNOPQR", "valid", "s", 0, 16_000),))]
    spec = CompressionSpec(tune_method="factors", tune_learning_rate=0.003)
    tuned = finetune(
        random_whisper(), Teacher(random_whisper(), Words()), Mixture(windows, [], unlike), spec, num_steps=20
    )
    losses = [loss for _, loss in tuned.checks]
    assert losses[0] == pytest.approx(min(losses), rel=1e-4)
    assert losses[1] > losses[2] > losses[3]

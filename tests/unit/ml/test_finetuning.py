"""Training end to end on a small model: it learns, keeps its size, and repeats exactly."""

from dataclasses import replace

import pytest
import torch

from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.ml.model import windows as windows_module
from adaptwin_core.ml.training.finetuning import finetune
from adaptwin_core.ml.training.mixture import Mixture
from adaptwin_core.ml.training.teacher import Teacher
from tests.unit.ml.conftest import random_whisper
from tests.unit.ml.tuning import Words, three_windows, tune, window_of_other_words


@pytest.fixture
def windows():
    return three_windows()


@pytest.mark.parametrize("method", ["factors", "adapters"])
def test_the_loss_falls_and_the_size_stays(windows, method):
    _, losses = tune(windows, tune_method=method)
    assert len(losses) == 40
    assert sum(losses[-5:]) < 0.7 * sum(losses[:5])


def test_fitted_windows_are_learnt_from(windows, monkeypatch):
    # A small Whisper has 60 frames.
    monkeypatch.setattr(windows_module, "window_frames", lambda _samples, margin_s: 60 if margin_s is None else 40)
    fitted = [replace(window, margin_s=0.5) for window in windows]
    teacher = Teacher(random_whisper(), Words())
    assert teacher.example(fitted[0]).features_1MT.shape[-1] == 40
    spec = CompressionSpec(tune_learning_rate=3e-3, lora_rank=4)
    losses = []
    finetune(
        random_whisper(seed=1),
        teacher,
        Mixture(windows, [], speaker_fitted=fitted),
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
def test_the_model_given_back_is_the_one_of_the_least_validation_loss(windows, method):
    """On words unlike those it learns, the last step is not the best; a second run's first check judges the result."""
    unlike = [window_of_other_words()]
    tuned, _ = tune(windows, unlike, num_steps=32, tune_method=method, tune_learning_rate=0.03)
    losses = [loss for _, loss in tuned.checks]
    assert [step for step, _ in tuned.checks] == [0, 8, 16, 24, 32]
    assert min(losses) < max(losses[1:])
    spec = CompressionSpec(tune_learning_rate=1e-9)
    again = finetune(tuned.model, Teacher(random_whisper(), Words()), Mixture(windows, [], unlike), spec, num_steps=1)
    assert again.checks[0][1] == pytest.approx(min(losses), rel=1e-3)


def test_steps_that_are_too_long_are_taken_back_and_shortened(windows):
    """A model judged on words unlike those it learns only loses: each return to it leads less far away."""
    unlike = [window_of_other_words()]
    spec = CompressionSpec(tune_method="factors", tune_learning_rate=0.003)
    tuned = finetune(
        random_whisper(), Teacher(random_whisper(), Words()), Mixture(windows, [], unlike), spec, num_steps=20
    )
    losses = [loss for _, loss in tuned.checks]
    assert losses[0] == pytest.approx(min(losses), rel=1e-4)
    assert losses[1] > losses[2] > losses[3]

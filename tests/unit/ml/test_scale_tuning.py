"""The scales of a 4-bit model, trained: it hears more like the one that was rounded, in the same levels and bytes."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.task_keys import ModelKey
from adaptwin_core.ml.model import checkpoint
from adaptwin_core.ml.model.modeling_adaptwin import SCALE_SUFFIX, widened
from adaptwin_core.ml.model.quantization import stored_state
from adaptwin_core.ml.stages import tune
from adaptwin_core.ml.training import scale_tuning as module
from adaptwin_core.ml.training.mixture import Mixture
from adaptwin_core.ml.training.scale_tuning import rescale
from adaptwin_core.ml.training.teacher import Teacher
from tests.unit.ml.conftest import random_whisper
from tests.unit.ml.small_recipe import small_recipe
from tests.unit.ml.tuning import Words, three_windows

NUM_STEPS = 24


@pytest.fixture
def windows():
    return three_windows()


def learn(windows, num_steps=NUM_STEPS):
    model = random_whisper()
    state = stored_state(model, "int4")
    mixture = Mixture(windows[:2], [], windows[2:], teacher_knows_speaker=True)
    losses = []
    found = rescale(
        model,
        state,
        Teacher(random_whisper(), Words()),
        mixture,
        CompressionSpec(encoder_cut=0, weights="int4"),
        num_steps=num_steps,
        on_step=lambda _step, loss: losses.append(loss),
    )
    assert len(losses) == num_steps
    return model, state, found


def test_what_rounding_lost_is_learnt_back_and_only_scales_change(windows, monkeypatch):
    monkeypatch.setattr(module, "RATE", 0.01)
    model, state, found = learn(windows)
    assert min(loss for _, loss in found.checks) < 0.9 * found.checks[0][1]
    changed = {name for name in state if not torch.equal(state[name], found.state[name])}
    assert changed <= {name for name in state if name.endswith(SCALE_SUFFIX)}
    assert f"model.decoder.layers.0.fc1.weight{SCALE_SUFFIX}" in changed
    assert {name: t.dtype for name, t in found.state.items()} == {name: t.dtype for name, t in state.items()}
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), random_whisper().parameters(), strict=True))


def test_the_state_given_back_is_the_model_that_was_judged(windows, monkeypatch):
    """A second run from the learnt scales starts at the least loss that the first one met."""
    monkeypatch.setattr(module, "RATE", 0.01)
    _, _, found = learn(windows)
    again = random_whisper()
    again.load_state_dict(widened(found.state), strict=False)
    mixture = Mixture(windows[:2], [], windows[2:], teacher_knows_speaker=True)
    spec = CompressionSpec(encoder_cut=0, weights="int4")
    second = rescale(again, found.state, Teacher(random_whisper(), Words()), mixture, spec, num_steps=1)
    assert second.checks[0][1] == pytest.approx(min(loss for _, loss in found.checks), rel=5e-3)


def test_no_steps_leave_the_scales_as_they_were(windows):
    _, state, found = learn(windows, num_steps=0)
    assert found.state is state
    assert found.checks == []


def test_the_same_seed_gives_the_same_scales(windows):
    first, second = (learn(windows, 4)[2].state for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_job_of_four_bits_trains_its_scales_and_tells_every_step(monkeypatch, tmp_path):
    """The model as the job's file has it keeps the levels of the one without; progress never goes back."""
    stored, figures, seen = {}, {}, []
    for scale_steps in (0, 8):
        small = small_recipe(
            monkeypatch, weights="int4", personal_steps=0, scale_steps=scale_steps, tune_learning_rate=3e-3
        )
        whole = replace(small, spec=small.spec.model_copy(update={"encoder_cut": 0.0, "decoder_cut": 0.0}))
        monkeypatch.setattr(tune, "load_whisper", lambda _folder: random_whisper())
        monkeypatch.setattr(checkpoint, "load_whisper", lambda _folder: random_whisper())
        seen.clear()
        made = tune.tune(
            whole, ModelKey(), tmp_path / str(scale_steps), lambda done, total, **_: seen.append((done, total))
        )
        figures = made.figures
        stored[scale_steps] = load_file(made.files["model.safetensors"])
    steps = [done for done, _ in seen]
    assert steps == list(range(1, seen[-1][1] + 1))
    assert figures["losses"] == []
    assert len(figures["scale_losses"]) == 8
    assert figures["scale_checks"][-1][0] == 8
    changed = {name for name, tensor in stored[0].items() if not torch.equal(tensor, stored[8][name])}
    assert changed
    assert all(name.endswith(SCALE_SUFFIX) for name in changed)

"""4 bits for the inputs that a matrix has: less of its outputs is lost than by the nearest levels."""

from types import SimpleNamespace

import pytest
import torch

from adaptwin_core.ml.model.modeling_adaptwin import widened
from adaptwin_core.ml.model.quantization import Int4Weight, round_to
from adaptwin_core.ml.model.rounding import compensated, nearest
from adaptwin_core.ml.training.input_moments import measure_input_moments, weighted_windows
from adaptwin_core.ml.training.mixture import Mixture
from adaptwin_core.ml.training.teacher import TrainingExample
from tests.unit.ml.conftest import random_whisper


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def correlated(num_inputs, seed=1):
    """Positions whose inputs are sums of a few, as a layer's are, with a little of their own."""
    return draw(4000, 6, seed=seed) @ draw(6, num_inputs, seed=seed + 1) + 0.1 * draw(4000, num_inputs, seed=seed + 2)


def back(levels):
    group = levels.values_OI.shape[1] // levels.scale_OG.shape[1]
    scale, zero = (x.float().repeat_interleave(group, 1) for x in (levels.scale_OG, levels.zero_OG))
    return (levels.values_OI.float() - zero) * scale


@pytest.mark.parametrize("num_inputs", [96, 40, 6])
def test_much_less_of_the_outputs_is_lost(num_inputs):
    weight_OI, x_NI = draw(24, num_inputs), correlated(num_inputs)
    moment_II = x_NI.mT @ x_NI / len(x_NI)

    def lost(levels):
        return ((back(levels) - weight_OI) @ x_NI.mT).square().mean()

    assert lost(compensated(weight_OI, moment_II)) < 0.6 * lost(nearest(weight_OI))


def test_with_white_inputs_it_is_the_nearest():
    weight_OI = draw(24, 64)
    near, made = nearest(weight_OI), compensated(weight_OI, 3 * torch.eye(64))
    for name in ("values_OI", "scale_OG", "zero_OG"):
        assert torch.equal(getattr(near, name), getattr(made, name))


@pytest.mark.parametrize("moment_II", [torch.zeros(64, 64), torch.ones(64, 64)])
def test_inputs_that_say_little_are_no_failure(moment_II):
    weight_OI = draw(8, 64)
    left = back(compensated(weight_OI, moment_II))
    assert torch.isfinite(left).all()
    assert (left - weight_OI).abs().max() < 2


def test_packed_it_is_the_same():
    weight_OI, x_NI = draw(8, 64), correlated(64)
    moment_II = x_NI.mT @ x_NI / len(x_NI)
    stored = widened(Int4Weight.of(weight_OI, moment_II).tensors("x"))["x"]
    torch.testing.assert_close(stored.float(), back(compensated(weight_OI, moment_II)))


class Listening:
    """A teacher that has heard every window already."""

    def __init__(self, model):
        self.model = model

    def expect(self, windows):
        pass

    def example(self, window):
        mels, frames = self.model.config.num_mel_bins, 2 * self.model.config.max_source_positions
        features = draw(1, mels, frames, seed=window.seed)
        labels = torch.randint(0, 40, (1, 12), generator=torch.Generator().manual_seed(window.seed))
        return TrainingExample(window, features, torch.empty(0), torch.empty(0), labels, 2)


def windows(first, count):
    return [SimpleNamespace(seed=first + i) for i in range(count)]


def measured(model, mixture):
    return measure_input_moments(model, Listening(model), weighted_windows(mixture, 0.5))


def test_a_kind_without_windows_leaves_its_weight_to_the_other():
    ours, others = windows(0, 2), windows(10, 4)
    assert [share for _, share in weighted_windows(Mixture(ours, others), 0.5)] == [0.25] * 2 + [0.125] * 4
    for weight in (0.0, 0.5, 1.0):
        assert [share for _, share in weighted_windows(Mixture(ours, ()), weight)] == [0.5] * 2
        assert [share for _, share in weighted_windows(Mixture((), others), weight)] == [0.25] * 4
    assert [window for window, _ in weighted_windows(Mixture(ours, others), 1.0)] == ours
    assert weighted_windows(Mixture((), ()), 0.5) == []


def test_few_positions_are_not_believed():
    """What the decoder is given in one window is not all that it can be given; in many it nearly is."""
    model = random_whisper(width=64, heads=4).eval()
    name = "model.decoder.layers.1.fc2.weight"

    def least(count):
        moment_II = measured(model, Mixture(windows(0, count), ()))[name]
        return torch.linalg.eigvalsh(moment_II)[0] / moment_II.diagonal().mean()

    assert least(1) > 0.8  # 11 positions of 256 inputs
    assert least(16) < 0.35


def test_what_every_matrix_is_given_is_measured_under_its_stored_name():
    model = random_whisper(width=64, heads=4).eval()
    mixture = Mixture(windows(0, 3), windows(10, 2))
    both, ours, others = (
        measured(model, some) for some in (mixture, Mixture(mixture.speaker, ()), Mixture((), mixture.general))
    )
    stored = {name for name, _ in model.named_parameters()}
    assert both.keys() <= stored
    assert "model.decoder.embed_tokens.weight" in both  # the matrix of the output, which is the same
    for name, moment in both.items():
        off_diagonal = 1 - torch.eye(len(moment))
        torch.testing.assert_close(moment * off_diagonal, (0.5 * ours[name] + 0.5 * others[name]) * off_diagonal)
    assert measured(model, Mixture((), ())) == {}


def test_a_matrix_without_numbers_has_a_size():
    """bench.sizes asks models on torch's meta device."""
    assert round_to(random_whisper(width=64, heads=4).to("meta"), "int4") > 0


def test_a_model_rounded_for_its_inputs_says_more_nearly_the_same():
    exact, near, made = (random_whisper(width=64, heads=4).eval() for _ in range(3))
    teacher = Listening(exact)
    inputs = measured(exact, Mixture(windows(0, 8), ()))
    assert round_to(near, "int4") == round_to(made, "int4", inputs)

    @torch.no_grad()
    def encoded(model):
        heard = [teacher.example(window) for window in windows(50, 4)]
        return torch.cat([model.model.encoder(h.features_1MT).last_hidden_state for h in heard])

    def lost(model):
        return (encoded(model) - encoded(exact)).square().mean()

    assert lost(made) < 0.8 * lost(near)

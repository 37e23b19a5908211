"""Pruned feed-forwards against direct evaluation: predicted errors attained, better than the obvious choice, exact
where a neuron says nothing new.
"""

import pytest
import torch

from adaptwin_core.ml.compression import neurons

NEURONS, OUTPUTS, SAMPLES = 48, 10, 5000


@pytest.fixture
def speech():
    """Activations that are correlated, uneven and not centred, and a second matrix."""
    rng = torch.Generator().manual_seed(0)
    hidden = torch.randn(SAMPLES, 16, generator=rng, dtype=torch.float64)
    mixed = hidden @ torch.randn(16, NEURONS, generator=rng, dtype=torch.float64)
    own = torch.randn(SAMPLES, NEURONS, generator=rng, dtype=torch.float64)
    f = torch.nn.functional.gelu(mixed + own) * torch.linspace(1.2, 0.6, NEURONS)
    weight, bias = (torch.randn(*size, generator=rng, dtype=torch.float64) for size in ((OUTPUTS, NEURONS), (OUTPUTS,)))
    return f, weight, bias


def moments(f):
    return torch.cov(f.T, correction=0), f.mean(0)


def cut_to(covariance, mean, weight, bias, keep):
    return neurons.prune(covariance, mean, weight, bias, neurons.rank(covariance, weight), keep)


def measured(f, weight, bias, cut):
    y = f @ weight.T + bias
    lost = f[:, cut.kept_N] @ cut.weight_ON.T + cut.bias_O - y
    assert lost.mean(0).abs().max() < 1e-6  # the bias makes up for the mean of what is gone
    return (lost.square().sum() / (y - y.mean(0)).square().sum()).item()


@pytest.mark.parametrize("keep", [4, 17, 32, 48])
def test_the_predicted_error_is_attained(speech, keep):
    f, weight, bias = speech
    cut = cut_to(*moments(f), weight, bias, keep)
    assert cut.kept_N.tolist() == sorted(set(cut.kept_N.tolist()))
    assert len(cut.kept_N) == keep
    assert measured(f, weight, bias, cut) == pytest.approx(cut.error, rel=1e-4, abs=1e-9)


@pytest.mark.parametrize("keep", [12, 24])
def test_the_choice_beats_keeping_the_loudest_with_the_same_refit(speech, keep):
    f, weight, bias = speech
    covariance, mean = moments(f)
    loudest = (f.square().mean(0) * weight.square().sum(0)).topk(keep).indices.sort().values
    ours = cut_to(covariance, mean, weight, bias, keep)
    theirs = neurons.prune(covariance, mean, weight, bias, loudest, keep)
    assert ours.error < 0.97 * theirs.error


def test_a_neuron_that_repeats_others_goes_first_and_without_loss(speech):
    f, weight, bias = speech
    f = f.clone()
    f[:, 5] = 2 * f[:, 1] - f[:, 30]
    cut = cut_to(*moments(f), weight, bias, NEURONS - 1)
    assert len({1, 5, 30} & set(cut.kept_N.tolist())) == 2
    assert measured(f, weight, bias, cut) < 1e-6


@pytest.mark.parametrize("keep", [0, NEURONS + 1])
def test_a_count_out_of_range_is_refused(speech, keep):
    f, weight, bias = speech
    with pytest.raises(ValueError, match="not within"):
        cut_to(*moments(f), weight, bias, keep)

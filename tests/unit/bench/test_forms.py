"""The ablations' alternatives: at full size they are the original, below it they hold what ours holds."""

import copy

import pytest
import torch

from adaptwin_core.domain.shape import BlockId
from adaptwin_core.ml.compression.factorization import rank_neurons
from adaptwin_core.ml.compression.measurement import measuring
from bench.ablations import forms
from bench.ablations.refit import refit_sequentially
from bench.frontier.baselines import measure_outputs
from tests.unit.ml.conftest import random_whisper

BLOCK = BlockId(half="encoder", layer=0)


@pytest.fixture(scope="module")
def model():
    return random_whisper()


@pytest.fixture(scope="module")
def windows():
    generator = torch.Generator().manual_seed(3)
    return [torch.randn(1, 8, 60, generator=generator) for _ in range(6)]


@pytest.fixture(scope="module")
def seen(model, windows):
    layer = model.model.encoder.layers[0]
    with measuring([(BLOCK, layer)]) as measured, torch.no_grad():
        for window in windows:
            model.model.encoder(window)
    moments = measured[str(BLOCK)].means()
    outputs = {name.removeprefix("0."): found for name, found in measure_outputs(model, windows).items()}
    return forms.Seen(BLOCK, moments, outputs, rank_neurons(layer, BLOCK, moments))


def cut(model, form, seen):
    smaller = copy.deepcopy(model)
    with torch.no_grad():
        form(smaller.model.encoder.layers[0], seen)
    return smaller


@torch.no_grad()
def error(smaller, model, windows):
    pairs = [(smaller.model.encoder(x)[0], model.model.encoder(x)[0]) for x in windows]
    return sum(float((a - b).square().sum() / b.square().sum()) for a, b in pairs) / len(pairs)


def sizes(model):
    config = model.config
    return config.d_model // config.encoder_attention_heads, config.d_model, config.encoder_ffn_dim


def full_size_forms(model):
    size, width, neurons = sizes(model)
    return {
        "ours": forms.ours(qk=size, vo=size, neurons=neurons),
        "keys not centred": forms.keys_not_centred(size),
        "shared basis": forms.shared_basis(2 * size),
        "shared basis of whole twins": forms.shared_basis(2 * size, head=size),
        "twin without refit": forms.twin_without_refit(size),
        "values not attended": forms.values_not_attended(size),
        "value and output alone": forms.value_and_output_alone(2 * size),
        "neurons by energy": forms.neurons_by_energy(neurons),
        "feed-forward not centred": forms.ff_not_centred(min(width, neurons)),
    }


@pytest.mark.parametrize("name", full_size_forms(random_whisper()))
def test_at_full_size_every_form_is_the_original(name, model, seen, windows):
    assert error(cut(model, full_size_forms(model)[name], seen), model, windows) < 1e-6


def test_smaller_forms_differ_and_hold_no_more_than_ours(model, seen, windows):
    size, width, neurons = sizes(model)
    kept, rank = size // 2, width * (neurons // 2) // (width + neurons)
    groups = [
        (forms.ours(qk=kept), [forms.keys_not_centred(kept), forms.shared_basis(kept)]),
        (
            forms.ours(vo=kept),
            [forms.twin_without_refit(kept), forms.values_not_attended(kept), forms.value_and_output_alone(kept)],
        ),
        (forms.ours(neurons=neurons // 2), [forms.neurons_by_energy(neurons // 2), forms.ff_not_centred(rank)]),
    ]
    slack = 2 * width + neurons  # biases
    for mine, others in groups:
        held = cut(model, mine, seen).num_parameters()
        for form in others:
            smaller = cut(model, form, seen)
            assert held - width * max(width, neurons) // 4 < smaller.num_parameters() <= held + slack
            assert error(smaller, model, windows) > 1e-6


def test_refit_brings_the_layers_nearer_on_the_speech_it_saw(model, seen, windows):
    size, _, neurons = sizes(model)
    smaller = cut(model, forms.plain(qk=size // 2, vo=size // 2, neurons=neurons // 2), seen)
    before = error(smaller, model, windows)
    refit_sequentially(smaller, model, windows)
    assert error(smaller, model, windows) < 0.9 * before

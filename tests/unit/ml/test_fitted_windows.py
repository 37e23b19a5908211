"""Fitted windows of our own class: padding is cut down to the margin, and without a margin it is the stock Whisper."""

import json

import numpy as np
import pytest
import torch
from transformers import GenerationConfig, WhisperFeatureExtractor
from transformers.modeling_outputs import BaseModelOutput

from adaptwin_core.domain.audio import SAMPLE_RATE_HZ, window_frames
from adaptwin_core.domain.plan import RankPlan
from adaptwin_core.ml.model.checkpoint import empty_model, load_compressed, save
from adaptwin_core.ml.model.modeling_adaptwin import fitted
from tests.unit.ml.conftest import random_whisper

WINDOW = 60  # frames of the random model
MARGIN_S = 0.1
SETTINGS = {"do_sample": False, "max_new_tokens": 6, "suppress_tokens": None, "begin_suppress_tokens": None}


def sound(*lengths, padding=-1.5):
    """Return noise of so many frames a row, padded with a value up to the whole window."""
    features_BMF = torch.randn(len(lengths), 8, WINDOW, generator=torch.Generator().manual_seed(0))
    for row, length in zip(features_BMF, lengths, strict=True):
        row.clamp_(min=-1.4)[:, length:] = padding
    return features_BMF


@pytest.fixture
def stock():
    return random_whisper()


@pytest.fixture
def ours(stock):
    """The same Whisper in our class."""
    model = empty_model(stock, RankPlan(blocks={}))
    model.load_state_dict(stock.state_dict())
    return model.eval()


def encoded(model, features):
    with torch.no_grad():
        return model.get_encoder()(features).last_hidden_state


@pytest.mark.parametrize("seconds", [0.3, 1.003, 4.4821, 17.77, 29.8])
@pytest.mark.parametrize("margin_s", [0.2, 0.5, 2.0])
def test_the_window_of_a_sound_is_the_one_that_its_samples_give(seconds, margin_s):
    samples = np.random.default_rng(0).normal(0, 0.1, int(seconds * SAMPLE_RATE_HZ)).astype(np.float32)
    features = WhisperFeatureExtractor()(samples, sampling_rate=SAMPLE_RATE_HZ, return_tensors="pt").input_features
    window = fitted(features, margin_s)
    more = window.shape[-1] - window_frames(len(samples), margin_s)
    assert more == 0 or (more == 2 and seconds == 0.3)  # the frame after the last sample still sees some of them
    assert torch.equal(window, features[..., : window.shape[-1]])


def test_a_batch_keeps_as_many_frames_as_its_longest_row_needs():
    features = sound(20, 31)
    window = fitted(features, MARGIN_S)
    assert window.shape[-1] == 30 + 10
    assert torch.equal(window, features[..., :40])


def test_the_zeros_that_generate_pads_with_become_silence():
    whole, zeros = sound(20), sound(20, padding=0.0)
    assert torch.equal(fitted(zeros, MARGIN_S), fitted(whole, MARGIN_S).clamp(min=float(zeros.amin())))


def test_silence_alone_gives_a_window_of_the_margin():
    assert fitted(sound(0), MARGIN_S).shape[-1] == 10
    assert fitted(sound(0), 0.0).shape[-1] == 2


def test_without_a_margin_it_is_the_stock_whisper(stock, ours):
    features = sound(20, 31)
    assert torch.equal(encoded(ours, features), encoded(stock, features))
    assert torch.equal(ours.generate(features, **SETTINGS), stock.generate(features, **SETTINGS))
    short = features[..., :31]
    assert torch.equal(ours.generate(short, **SETTINGS), stock.generate(short, **SETTINGS))


def test_hidden_states_and_attentions_are_the_stock_ones(stock, ours):
    stock.set_attn_implementation("eager")
    ours.set_attn_implementation("eager")
    found, expected = (
        model.get_encoder()(sound(20), output_hidden_states=True, output_attentions=True) for model in (ours, stock)
    )
    assert len(found.hidden_states) == 3
    assert len(found.attentions) == 2
    assert all(map(torch.equal, found.hidden_states, expected.hidden_states))
    assert all(map(torch.equal, found.attentions, expected.attentions))


def test_the_margin_may_be_set_on_a_loaded_model(ours):
    features = sound(20)
    whole = encoded(ours, features)
    ours.config.adaptwin_margin_s = MARGIN_S
    assert encoded(ours, features).shape[1] == 15
    ours.config.adaptwin_margin_s = None
    assert torch.equal(encoded(ours, features), whole)


@pytest.mark.parametrize(("frames", "positions"), [(30, 15), (31, 16), (1, 1)])
def test_the_encoder_takes_fewer_frames(ours, frames, positions):
    """Of an odd number the last position sees one frame and the padding of the convolution."""
    assert encoded(ours, sound(60)[..., :frames]).shape[1] == positions


def test_the_encoder_takes_no_more_than_a_window(ours):
    with pytest.raises(ValueError, match="60 frames at most, and these features have 61"):
        encoded(ours, torch.zeros(1, 8, 61))


@pytest.mark.parametrize("cache", [None, "static"])
def test_generate_hears_the_fitted_window(ours, cache):
    """Given a whole window, a part of it, or the cut one, it says the same."""
    ours.config.adaptwin_margin_s = MARGIN_S
    features = sound(20, 31)
    said = ours.generate(features, cache_implementation=cache, disable_compile=True, **SETTINGS)
    assert torch.equal(ours.generate(features[..., :45], **SETTINGS), said)
    read = BaseModelOutput(last_hidden_state=encoded(ours, features[..., :40]))
    assert torch.equal(ours.generate(encoder_outputs=read, **SETTINGS), said)


def test_the_language_is_detected_in_the_fitted_window(ours):
    settings = GenerationConfig(decoder_start_token_id=3, lang_to_id={"<|de|>": 7, "<|en|>": 9})
    ours.config.adaptwin_margin_s = MARGIN_S
    found = ours.detect_language(sound(20, 31), generation_config=settings)
    ours.config.adaptwin_margin_s = None
    assert torch.equal(ours.detect_language(fitted(sound(20, 31), MARGIN_S), generation_config=settings), found)


@pytest.mark.parametrize("margin_s", [0.5, None])
def test_the_margin_is_written_with_the_model(stock, ours, tmp_path, margin_s):
    stock.save_pretrained(tmp_path / "base")
    ours.config.adaptwin_margin_s = margin_s
    save(ours, tmp_path / "base", tmp_path / "out")
    assert json.loads((tmp_path / "out" / "config.json").read_text())["adaptwin_margin_s"] == margin_s
    assert load_compressed(tmp_path / "out").config.adaptwin_margin_s == margin_s

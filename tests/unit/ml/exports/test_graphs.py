"""The graphs written out for ONNX compute what the model computes, token by token too."""

import pytest
import torch

from adaptwin_core.domain.planner import make_plan
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.ml.exports.onnx import MergedDecoder
from adaptwin_core.ml.exports.onnx_graphs import Encoder
from adaptwin_core.ml.exports.sherpa import CachedDecoder, CrossEncoder, _padded
from adaptwin_core.ml.model.adapter import shape_of
from tests.unit.ml.conftest import random_whisper
from tests.unit.ml.cut_models import SPECS, compress

CLOSE = {"rtol": 1e-4, "atol": 1e-4}
CUTS = ((0, 3), (3, 4), (4, 9))  # tokens a call


@pytest.fixture(params=SPECS, ids=str)
def small(request):
    original = random_whisper()
    return compress(original, make_plan(CompressionSpec.model_validate(request.param), shape_of(original.config)), None)


@pytest.fixture
def features():
    return torch.randn(2, 8, 60, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def tokens():
    return torch.randint(4, 96, (2, 9), generator=torch.Generator().manual_seed(0))


@torch.no_grad()
def test_the_merged_decoder_gives_the_models_scores_whatever_is_cached(small, features, tokens):
    encoded = Encoder(small)(features)
    torch.testing.assert_close(encoded, small.model.encoder(features).last_hidden_state, **CLOSE)
    expected = small(input_features=features, decoder_input_ids=tokens).logits
    decoder = MergedDecoder(small)
    past = []
    for layer in small.model.decoder.layers:
        for attention in (layer.self_attn, layer.encoder_attn):
            past += [torch.zeros(2, 4, 0, p.out_features // 4) for p in (attention.k_proj, attention.v_proj)]
    for start, end in CUTS:
        scores, *past = decoder(tokens[:, start:end], encoded, past)
        torch.testing.assert_close(scores, expected[:, start:end], **CLOSE)


@torch.no_grad()
def test_sherpas_decoder_gives_them_too_and_ignores_what_lies_behind_in_its_caches(small, features, tokens):
    even, width = _padded(small)
    keys, values = CrossEncoder(even)(features)
    expected = small(input_features=features, decoder_input_ids=tokens).logits
    caches = [torch.full((2, 2, 24, width), 7.0) for _ in range(2)]
    for start, end in CUTS:
        scores, *caches = CachedDecoder(even)(tokens[:, start:end], *caches, keys, values, torch.tensor([start]))
        torch.testing.assert_close(scores, expected[:, start:end], **CLOSE)


@torch.no_grad()
def test_a_shorter_recording_takes_the_first_positions(small, features):
    assert Encoder(small)(features[..., :40]).shape == (2, 20, 32)

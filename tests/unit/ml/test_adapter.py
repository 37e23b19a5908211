"""The encoder as the product runs it: the stock one's output on a whole window, and that of a smaller one on less."""

import pytest
import torch

from adaptwin_core.domain.planner import make_plan
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.ml.model.adapter import encode, shape_of
from tests.unit.ml.conftest import random_whisper
from tests.unit.ml.cut_models import compress

FRAMES, FEWER = 60, 40


def features():
    return torch.randn(2, 8, FRAMES, generator=torch.Generator().manual_seed(1))


def cut(model):
    spec = CompressionSpec.model_validate({"plan": "uniform", "encoder_cut": 0.3})
    return compress(model, make_plan(spec, shape_of(model.config)), None)


@pytest.mark.parametrize("made", [lambda model: model, cut], ids=["original", "cut"])
@torch.no_grad()
def test_a_whole_window_is_encoded_as_the_stock_encoder_does(made):
    model = made(random_whisper(frames=FRAMES))
    torch.testing.assert_close(encode(model, features()), model.model.encoder(features()).last_hidden_state)


@torch.no_grad()
def test_fewer_frames_are_encoded_as_by_a_whisper_of_shorter_windows():
    model, shorter = random_whisper(frames=FRAMES), random_whisper(frames=FEWER)
    positions = "model.encoder.embed_positions.weight"
    state = model.state_dict()
    shorter.load_state_dict(state | {positions: state[positions][: FEWER // 2]})
    fewer = features()[..., :FEWER]
    torch.testing.assert_close(encode(model, fewer), shorter.model.encoder(fewer).last_hidden_state)

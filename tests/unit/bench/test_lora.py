"""LoRA without us is a rival worth its name: it learns the speaker's transcripts, and repeats exactly."""

import pytest
import torch

from adaptwin_core.ml.model import precision
from bench.frontier.lora import cross_entropy, plain_lora
from tests.unit.ml.conftest import random_whisper
from tests.unit.ml.tuning import Words, three_windows


class StrictWords(Words):
    """As Whisper's own extractor: it computes with torch, and cannot return what it had to compute in bfloat16."""

    def features(self, audios):
        assert not torch.is_autocast_enabled("cpu"), "features are computed outside of quick products"
        return super().features(audios)


@pytest.mark.parametrize("has_bfloat16", [False, True])
def test_it_learns_and_repeats(has_bfloat16, monkeypatch):
    monkeypatch.setattr(precision, "multiplies_bfloat16", lambda _where: has_bfloat16)
    windows = three_windows()

    def loss(model):
        with torch.no_grad():
            return sum(float(cross_entropy(model, StrictWords(), window)) for window in windows)

    first, again = (plain_lora(random_whisper(), StrictWords(), windows, num_windows=60, seed=0) for _ in range(2))
    assert loss(first) < 0.9 * loss(random_whisper())
    assert first.num_parameters() == random_whisper().num_parameters()
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))

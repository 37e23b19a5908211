"""LoRA without us is a rival worth its name: it learns the speaker's transcripts, and repeats exactly."""

import torch

from bench.frontier.lora import cross_entropy, plain_lora
from tests.unit.ml import test_finetune
from tests.unit.ml.conftest import random_whisper
from tests.unit.ml.test_finetune import Words

windows = test_finetune.windows


def test_it_learns_and_repeats(windows):
    def loss(model):
        with torch.no_grad():
            return sum(float(cross_entropy(model, Words(), window)) for window in windows)

    first, again = (plain_lora(random_whisper(), Words(), windows, num_windows=60, seed=0) for _ in range(2))
    assert loss(first) < 0.9 * loss(random_whisper())
    assert first.num_parameters() == random_whisper().num_parameters()
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))

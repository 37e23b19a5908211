"""A setting of small size that can really be measured: a random Whisper, speech whose every clip sounds different."""

from pathlib import Path

import pytest
import torch

from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.ml.model.adapter import shape_of
from adaptwin_core.ml.stages import measured, personalize
from adaptwin_core.ml.stages.recipe import Setting
from tests.fake_speech import Speech, new_clip
from tests.unit.ml.conftest import random_whisper


def different_clips(digest, first, count):
    """Speech in twelve-second clips, each of another level and with another number for its word."""
    return Speech(
        [new_clip(f"clip-{i}", f"word {first + i}", seconds=12, level=first + i + 1) for i in range(count)],
        digest=digest,
    )


class Levels:
    """Features drawn by what is heard, tokens by the words' letters."""

    def features(self, audios):
        seed = int(audios[0].sum())
        return torch.randn(1, 8, 60, generator=torch.Generator().manual_seed(seed))

    def prompt(self):
        return [3]

    def num_tokens(self, text):
        return min(20, len(text))

    def labels(self, text, *, may_cut=False):
        return torch.tensor([[3, *(4 + ord(letter) % 90 for letter in text[:20]), 2]])


class SmallSetting(Setting):
    def featurizer(self):
        return Levels()


def small_setting(monkeypatch: pytest.MonkeyPatch, *, num_clips: int = 20, **settings) -> Setting:
    """Return a setting with four general clips, every layer cut, on a random Whisper."""
    for module in (measured, personalize):
        monkeypatch.setattr(module, "load_whisper", lambda _folder: random_whisper())
    spec = CompressionSpec(encoder_cut=0.3, decoder_cut=0.3, **settings)
    shape = shape_of(random_whisper().config)
    return SmallSetting(
        Path(), shape, spec, different_clips("speaker", 0, num_clips), different_clips("general", 100, 4)
    )

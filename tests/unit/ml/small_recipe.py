"""A recipe of small size that can really be made: a random Whisper, speech whose every clip sounds different."""

from pathlib import Path

import pytest
import torch

from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.stage_table import JOB_STAGES
from adaptwin_core.ml.model.adapter import shape_of
from adaptwin_core.ml.stages import calibrate, personalize
from adaptwin_core.ml.stages.recipe import BaseModel, Recipe
from tests.fake_speech import Speech, new_clip
from tests.unit.ml.conftest import random_whisper


def different_clips(digest, first, count):
    """Speech in twelve-second clips, each of another level and with another number for its word."""
    clips = [new_clip(f"clip-{i}", f"word {first + i}", seconds=12, level=first + i + 1) for i in range(count)]
    return Speech(clips, digest=digest)


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


def recipe_of(spec, speaker, general=None, *, shape, featurizer=None, results=None, folder=Path()) -> Recipe:
    """Return a recipe whose base model lies nowhere; its earlier stages were left out, or have `results`."""

    class InMemory(Recipe):
        pass

    if featurizer is not None:
        InMemory.featurizer = featurizer
    base = BaseModel("whisper-base", "ab", shape, "MIT", "openai/whisper-base", lambda: folder, folder)
    left_out = {stage: {} for stage in JOB_STAGES}
    return InMemory(base, spec, speaker, general, left_out | (results or {}))


def small_recipe(monkeypatch: pytest.MonkeyPatch, *, num_clips: int = 20, **settings) -> Recipe:
    """Return a recipe with four general clips, every layer cut, on a random Whisper."""
    for module in (calibrate, personalize):
        monkeypatch.setattr(module, "load_whisper", lambda _folder: random_whisper())
    spec = CompressionSpec(encoder_cut=0.3, decoder_cut=0.3, **settings)
    return recipe_of(
        spec,
        different_clips("speaker", 0, num_clips),
        different_clips("general", 100, 4),
        shape=shape_of(random_whisper().config),
        featurizer=Levels(),
    )

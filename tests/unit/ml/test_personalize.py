"""The whole model learns its speaker before it is cut, and what is measured and cut is that model."""

from dataclasses import replace

import pytest
import torch
from transformers import WhisperForConditionalGeneration

from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.task_keys import ModelKey
from adaptwin_core.ml.stages import personalize as personalize_module
from adaptwin_core.ml.stages.personalize import personalize
from adaptwin_core.ml.stages.task_result import TaskResult
from adaptwin_core.ml.stages.training_data import mixture_of
from adaptwin_core.ml.training.mixture import FOLLOWED_WEIGHTS, SPEAKER_WEIGHTS
from tests.unit.ml.conftest import random_whisper
from tests.unit.ml.small_recipe import small_recipe


def test_it_comes_out_as_a_whole_whisper_that_has_learnt(monkeypatch, tmp_path):
    recipe = small_recipe(monkeypatch, personal_steps=12, tune_learning_rate=3e-3, lora_rank=4)
    seen = []
    made = personalize(recipe, ModelKey(), tmp_path, lambda done, total, loss: seen.append((done, total)))
    assert seen[-1] == (12, 12)
    assert len(made.figures["losses"]) == 12
    assert made.figures["checks"][-1][1] < made.figures["checks"][0][1]
    learnt, loaded = WhisperForConditionalGeneration.from_pretrained(
        tmp_path, dtype=torch.float32, output_loading_info=True
    )
    assert not loaded["missing_keys"]
    assert not loaded["unexpected_keys"]
    before = random_whisper().state_dict()
    changed = {
        name for name, tensor in learnt.state_dict().items() if not torch.allclose(tensor, before[name], 1e-3, 1e-4)
    }
    assert changed
    assert all(".layers." in name for name in changed)
    assert made.files["model.safetensors"].stat().st_size > 0


def test_speech_with_nothing_to_learn_from_is_refused(monkeypatch, tmp_path):
    recipe = small_recipe(monkeypatch, num_clips=0)
    with pytest.raises(InvalidAudio, match="nothing to train on"):
        personalize(recipe, ModelKey(), tmp_path)


def test_the_model_that_has_learnt_is_measured_and_teaches(monkeypatch, tmp_path):
    recipe = small_recipe(monkeypatch)
    assert recipe.whole_folder == recipe.base.folder
    learnt = {ModelKey(): TaskResult({"model.safetensors": tmp_path / "model.safetensors"})}
    after = replace(recipe, results={**recipe.results, Stage.PERSONALIZE: learnt})
    assert after.whole_folder == tmp_path
    weights = {weighed for _, weighed in mixture_of(recipe, teacher_knows_speaker=False).order(recipe.spec, 50)}
    assert SPEAKER_WEIGHTS in weights
    weights_after = {weighed for _, weighed in mixture_of(after, teacher_knows_speaker=True).order(recipe.spec, 50)}
    assert SPEAKER_WEIGHTS not in weights_after
    assert FOLLOWED_WEIGHTS in weights_after


def test_the_original_is_its_teacher(monkeypatch, tmp_path):
    loaded = []
    recipe = small_recipe(monkeypatch, personal_steps=1)
    monkeypatch.setattr(personalize_module, "load_whisper", lambda folder: loaded.append(folder) or random_whisper())
    personalize(recipe, ModelKey(), tmp_path)
    assert loaded == [recipe.base.folder] * 2

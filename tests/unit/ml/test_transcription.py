"""Every model that is judged hears one clip at a time, in the windows that were asked for, and keeps its own margin."""

import json

import pytest
import torch

from adaptwin_core.domain.plan import RankPlan
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.task_keys import EvaluationKey, ExportKey, ModelKey
from adaptwin_core.ml.exports import export as exporting
from adaptwin_core.ml.exports.export import Export
from adaptwin_core.ml.model import transcription
from adaptwin_core.ml.model.adapter import shape_of
from adaptwin_core.ml.stages import evaluate
from adaptwin_core.ml.stages.export import export
from adaptwin_core.ml.stages.file_names import TEXTS_FILE
from adaptwin_core.ml.stages.task_result import TaskResult
from tests.fake_speech import Speech, new_clip
from tests.unit.ml.conftest import random_whisper
from tests.unit.ml.cut_models import compress
from tests.unit.ml.small_recipe import recipe_of

CLIPS = [new_clip(name, name, "test", seconds=seconds) for name, seconds in (("a", 3), ("b", 1), ("c", 2))]
SPEECH = Speech(CLIPS)


@pytest.fixture
def ours():
    return compress(random_whisper(), RankPlan(blocks={}), None)


@pytest.fixture
def heard(monkeypatch):
    """Which clips were heard at once, by their seconds, and with which margin."""
    calls: list[tuple[list[float], float | None]] = []

    def transcribe_batch(model, _featurizer, audios):
        seconds = [len(audio) / 16_000 for audio in audios]
        calls.append((seconds, getattr(model.config, "adaptwin_margin_s", None)))
        return [f"{second:g} s" for second in seconds]

    monkeypatch.setattr(transcription, "transcribe_batch", transcribe_batch)
    return calls


@pytest.mark.parametrize("margin_s", [0.5, None])
def test_clips_are_heard_one_by_one_with_the_margin_that_was_asked_for(ours, heard, margin_s):
    ours.config.adaptwin_margin_s = 0.3
    told = []
    found = transcription.transcribe(
        ours, None, SPEECH, CLIPS, lambda done, total, /, **_: told.append((done, total)), margin_s=margin_s
    )
    assert found.texts == ["3 s", "1 s", "2 s"]
    assert heard[1:] == [([3.0], margin_s), ([1.0], margin_s), ([2.0], margin_s)]
    assert heard[0] == heard[1], "the first is heard once more, before the clock runs"
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert found.audio_s == 6.0
    assert ours.config.adaptwin_margin_s == 0.3


def test_a_margin_is_kept_where_transcription_fails(ours, monkeypatch):
    def fail(*_):
        raise RuntimeError

    monkeypatch.setattr(transcription, "transcribe_batch", fail)
    ours.config.adaptwin_margin_s = 0.3
    with pytest.raises(RuntimeError):
        transcription.transcribe(ours, None, SPEECH, CLIPS, margin_s=None)
    assert ours.config.adaptwin_margin_s == 0.3


def test_a_stock_whisper_takes_whole_windows_alone(heard):
    assert len(transcription.transcribe(random_whisper(), None, SPEECH, CLIPS, margin_s=None).texts) == 3
    with pytest.raises(ValueError, match="whole windows alone"):
        transcription.transcribe(random_whisper(), None, SPEECH, CLIPS, margin_s=0.5)


class Ten:
    """Ten frames of sound, and padding after them."""

    multilingual, language, most_tokens_per_s = False, "en", 1.0

    def features(self, audios):
        features = torch.full((len(audios), 8, 600), -1.0)
        features[..., :11] = torch.randn(1, 8, 11, generator=torch.Generator().manual_seed(0))
        return features

    @property
    def tokenizer(self):
        return self

    def batch_decode(self, ids, *, skip_special_tokens):
        assert skip_special_tokens
        return ["text" for _ in ids]


@pytest.mark.parametrize(("key", "positions"), [("fitted", 30), ("whole", 300)])
def test_the_compressed_model_is_evaluated_in_the_windows_of_its_key(key, positions, tmp_path, monkeypatch):
    ours = compress(random_whisper(frames=600), RankPlan(blocks={}), None)
    ours.generation_config.decoder_start_token_id = 3
    seen = set()
    ours.model.encoder.layers[0].register_forward_hook(lambda _m, given, _out: seen.add(given[0].shape[1]))
    monkeypatch.setattr(evaluate, "load_compressed", lambda _folder: ours)
    monkeypatch.setattr(transcription, "most_tokens", lambda *_: 3)
    recipe = recipe_of(
        CompressionSpec(),
        SPEECH,
        shape=shape_of(ours.config),
        featurizer=Ten(),
        results={Stage.TUNE: {ModelKey(): TaskResult({"config.json": tmp_path / "config.json"})}},
    )
    made = evaluate.evaluate(recipe, EvaluationKey.parse(f"compressed:speaker:{key}"), tmp_path)
    assert seen == {positions}
    assert json.loads(made.files[TEXTS_FILE].read_text()) == {"a": "text", "b": "text", "c": "text"}
    assert made.figures["audio_s"] == 6.0


@pytest.mark.parametrize(("margin_s", "window"), [(0.5, "fitted"), (None, "whole")])
def test_an_export_is_compared_with_what_the_model_says_in_its_own_windows(tmp_path, monkeypatch, margin_s, window):
    evaluated = {}
    for name in ("fitted", "whole"):
        (tmp_path / f"{name}.json").write_text(json.dumps({clip.id: name for clip in CLIPS}))
        evaluated[EvaluationKey.parse(f"compressed:speaker:{name}")] = TaskResult(
            {TEXTS_FILE: tmp_path / f"{name}.json"}
        )
    manifest = tmp_path / "adaptwin.json"
    manifest.write_text(json.dumps({"margin_s": margin_s}))
    compared_with = []

    def export_model(_form, _checkpoint, held_out, _out, **_how):
        compared_with.extend(held_out.own_texts)
        return Export({}, None)

    monkeypatch.setattr(exporting, "export_model", export_model)
    published = {ModelKey(): TaskResult({manifest.name: manifest})}
    recipe = recipe_of(
        CompressionSpec(),
        SPEECH,
        shape=shape_of(random_whisper().config),
        results={Stage.EVALUATE: evaluated, Stage.PUBLISH: published},
    )
    export(recipe, ExportKey("ct2-int8"), tmp_path)
    assert compared_with == [window] * 3

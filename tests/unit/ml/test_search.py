"""The search for a word error rate takes the deepest cut that holds it, in few trials, and says so when none does."""

import json

import pytest

from adaptwin_core.domain.errors import InvalidSpec
from adaptwin_core.domain.spec import SEARCHED_CUTS, CompressionSpec
from adaptwin_core.domain.task_keys import ModelKey
from adaptwin_core.ml.stages import search
from tests.fake_speech import new_clip, speech_in_splits
from tests.published_whispers import WHISPERS
from tests.unit.ml.small_recipe import recipe_of


def found(monkeypatch, tmp_path, max_wer, wer_of, speech=None, language="en"):
    """The real bisection on word error rates that a model would have at each cut."""
    tried = []

    def trial(recipe, clips, *_places):
        assert clips
        assert recipe.spec.max_wer is None
        assert recipe.spec.tune_steps == CompressionSpec().tune_steps / search.SEARCH_DIVISOR
        assert recipe.spec.scale_steps == CompressionSpec().scale_steps / search.SEARCH_DIVISOR
        tried.append(recipe.spec.encoder_cut)
        return {"error_rate": wer_of(recipe.spec.encoder_cut)}

    monkeypatch.setattr(search, "_trial", trial)
    spec = CompressionSpec(max_wer=max_wer, language=language)
    recipe = recipe_of(spec, speech or speech_in_splits(train=90, valid=60), shape=WHISPERS["base"])
    made = search.search(recipe, ModelKey(), tmp_path)
    assert [told["encoder_cut"] for told in made.figures["trials"]] == tried
    return json.loads(made.files["cut.json"].read_text())["encoder_cut"], tried


@pytest.mark.parametrize("holds", range(len(SEARCHED_CUTS)))
def test_the_deepest_cut_that_holds_is_found_in_few_trials(monkeypatch, tmp_path, holds):
    deepest = SEARCHED_CUTS[holds]
    cut, tried = found(monkeypatch, tmp_path, 10.0, lambda at: 9.5 if at <= deepest else 11.0)
    assert cut == deepest
    assert len(tried) <= search.MAX_TRIALS


def test_a_rate_that_no_cut_holds_is_refused_with_what_was_reached(monkeypatch, tmp_path):
    with pytest.raises(InvalidSpec, match=r"15% has 12.0 %") as refused:
        found(monkeypatch, tmp_path, 10.0, lambda _at: 12.0)
    assert refused.value.code == "wer_out_of_reach"


def test_speech_without_transcripts_cannot_be_searched_by(monkeypatch, tmp_path):
    with pytest.raises(InvalidSpec, match="transcribed"):
        found(monkeypatch, tmp_path, 10.0, lambda _at: 5.0, speech_in_splits(labelled=False, train=90, valid=60))


def test_a_few_words_are_not_judged_by(monkeypatch, tmp_path):
    with pytest.raises(InvalidSpec, match="98 words") as refused:
        found(monkeypatch, tmp_path, 10.0, lambda _at: 5.0, speech_in_splits(train=90, valid=49))
    assert refused.value.code == "nothing_to_search_by"


def said(*texts):
    """Speech whose valid clips have these texts."""
    speech = speech_in_splits(train=90)
    speech.clips += [new_clip(f"valid-{i}", text, "valid", seconds=10) for i, text in enumerate(texts)]
    return speech


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ja", "今日"),
        ("zh", "你好"),
        ("yue", "唔該"),
        ("th", "สวัสดี"),
        ("lo", "ສະບາຍດີ"),
        ("my", "မြန်မာ"),
        ("km", "ខ្មែរ"),
    ],
)
def test_sixty_clips_of_one_word_are_enough_where_characters_judge(monkeypatch, tmp_path, language, text):
    cut, _ = found(monkeypatch, tmp_path, 10.0, lambda _at: 9.0, said(*[text] * 60), language)
    assert cut == SEARCHED_CUTS[0]
    (tmp_path / "again").mkdir()
    with pytest.raises(InvalidSpec, match=r"this speaker's character error rate at 10.0 %"):
        found(monkeypatch, tmp_path / "again", 10.0, lambda _at: 12.0, said(*[text] * 60), language)


def test_a_few_characters_are_not_judged_by(monkeypatch, tmp_path):
    with pytest.raises(InvalidSpec, match="98 characters") as refused:
        found(monkeypatch, tmp_path, 10.0, lambda _at: 5.0, said(*["今 日"] * 49), "ja")
    assert refused.value.code == "nothing_to_search_by"


def test_clips_where_nobody_speaks_are_judged_on_too():
    speech = said(*["alpha bravo charlie"] * 40, "")
    recipe = recipe_of(CompressionSpec(max_wer=10.0), speech, shape=WHISPERS["base"])
    assert [clip.text for clip in search.clips_to_search_by(recipe)].count("") == 1


@pytest.mark.parametrize("other", [{"model_cut": 0.2}, {"max_bytes": 60_000_000}, {"plan": "uniform"}])
def test_a_wanted_rate_stands_alone(other):
    with pytest.raises(ValueError, match="max_wer"):
        CompressionSpec(max_wer=10.0, **other)

"""An export is judged by what the language is judged by, and on clips where nobody speaks too."""

import json

import numpy as np
import pytest

from adaptwin_core.ml.exports import acceptance, formats
from adaptwin_core.ml.exports.acceptance import HeldOutSet
from adaptwin_core.ml.exports.export import export_model
from adaptwin_core.ml.model.transcription import Transcripts


def held_out(*texts, own_texts=None):
    return HeldOutSet([np.zeros(16_000, np.float32)] * len(texts), texts, own_texts)


@pytest.mark.parametrize("language", ["ja", "zh", "yue", "th", "lo", "my", "km"])
def test_one_character_wrong_is_not_a_whole_word_wrong(language):
    said = "あ" * 1000
    found = acceptance.verdict(Transcripts([said[:-1] + "い"], 0.1, 1.0), [said], held_out(said), language)
    assert (found["unit"], found["error_rate"], found["is_offered"]) == ("character", 0.001, True)
    assert found["wer"] == 1.0
    worse = acceptance.verdict(Transcripts([said[:-9]], 0.1, 1.0), [said], held_out(said), language)
    assert not worse["is_offered"]
    assert "its character error rate is 0.9 points above" in worse["why"]


def test_vowel_signs_count_as_part_of_words():
    said, heard = "की बात की बात", "का बात का बात"
    found = acceptance.verdict(Transcripts([heard], 0.1, 1.0), [said], held_out(said), "hi")
    assert (found["unit"], found["error_rate"], found["is_offered"]) == ("word", 0.5, False)
    assert "its word error rate is 50.0 points above" in found["why"]
    assert "at most 0.3 points or one error is allowed" in found["why"]


@pytest.mark.parametrize(("wrong", "is_offered"), [(0, True), (1, True), (2, False)])
def test_one_wrong_word_of_few_does_not_refuse_an_export(wrong, is_offered):
    said = ["one two three four five"] * 4
    heard = ["one two three four wrong"] * wrong + said[wrong:]
    found = acceptance.verdict(Transcripts(heard, 0.1, 1.0), said, held_out(*said), "de")
    assert (found["error_rate"], found["is_offered"]) == (wrong / 20, is_offered)


def test_of_many_words_more_than_one_may_be_wrong():
    said = ["one two three four five"] * 200
    offered = [
        acceptance.verdict(
            Transcripts(["one two three four wrong"] * wrong + said[wrong:], 0.1, 1.0), said, held_out(*said), "de"
        )["is_offered"]
        for wrong in (3, 4)
    ]
    assert offered == [True, False]


def test_words_made_up_where_nobody_speaks_count():
    speech = held_out("one two three four", "")
    found = acceptance.verdict(
        Transcripts(["one two three four", "Thank you"], 0.1, 1.0), ["one two three four", ""], speech, "de"
    )
    assert (found["num_clips"], found["error_rate"], found["is_offered"]) == (2, 0.5, False)


REPORT = {
    "base_model": "whisper-base",
    "base_hub_id": "openai/whisper-base",
    "spec": {"language": "de"},
    "vocabulary": {"languages": ["de"]},
    "window": {"margin_s": None},
}


def new_checkpoint(folder, **manifest):
    """Write what an export reads of a published model."""
    folder.mkdir()
    described = {"settings": {"language": "de"}, "base_model": {"licence": None}} | manifest
    (folder / "adaptwin.json").write_text(json.dumps(described))
    (folder / "report.json").write_text(json.dumps(REPORT))
    return folder


def test_an_export_that_only_silence_could_judge_is_offered_unheard(tmp_path, monkeypatch):
    checkpoint, out = new_checkpoint(tmp_path / "model"), tmp_path / "out"
    out.mkdir()
    monkeypatch.setattr(formats, "write", lambda *_: [])
    monkeypatch.setattr(formats, "load", lambda *_, **__: lambda _audio: "You")
    made = export_model("dense", checkpoint, held_out("", "", own_texts=["", ""]), out)
    assert made.files
    assert (made.verdict["num_clips"], made.verdict["is_offered"]) == (0, True)
    assert "nobody says a word" in made.verdict["why"]


@pytest.mark.parametrize(("manifest", "margin_s"), [({"margin_s": 0.5}, 0.5), ({"margin_s": None}, None), ({}, None)])
def test_export_and_model_are_heard_in_the_windows_that_the_model_is_for(tmp_path, monkeypatch, manifest, margin_s):
    checkpoint, out = new_checkpoint(tmp_path / "model", **manifest), tmp_path / "out"
    out.mkdir()
    heard = []
    monkeypatch.setattr(formats, "write", lambda *_: [])
    monkeypatch.setattr(formats, "load", lambda form, *_, **given: heard.append((form, given)) or (lambda _audio: "ja"))
    export_model("ct2-int8", checkpoint, held_out("ja"), out)
    assert heard == [("ct2-int8", {"margin_s": margin_s}), ("checkpoint", {"margin_s": margin_s})]

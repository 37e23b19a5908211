"""The end of a job: figures, verdict, card, plots and manifest tell the same."""

import json
from pathlib import Path

import pytest

from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.task_keys import EvaluationKey, ModelKey
from adaptwin_core.ml.evaluation import report_plot
from adaptwin_core.ml.evaluation.report_card import lines
from adaptwin_core.ml.stages.file_names import TEXTS_FILE
from adaptwin_core.ml.stages.publish import publish
from adaptwin_core.ml.stages.task_result import TaskResult
from adaptwin_core.speech.corpus import Clip, Corpus
from tests.published_whispers import WHISPERS
from tests.unit.ml.small_recipe import recipe_of


def speech(*texts: str | None, taught: str = "a word") -> Corpus:
    """A corpus that is only its clips: ten seconds each, twelve to train on, the given texts to test on."""
    train = [Clip(f"train-{i}", f"train-{i}", taught, "train", "s", 0, 160_000) for i in range(12)]
    test = [Clip(f"test-{i}", f"test-{i}", text, "test", "s", 0, 160_000) for i, text in enumerate(texts)]
    return Corpus(folder=Path(), clips=(*train, *test), shards=(), rejects=(), warnings=())


class Words:
    """Every word is a token."""

    def num_tokens(self, text: str) -> int:
        return len(text.split())


def concluded(out: Path, language, speaker, heard, general=None, taught="a word"):
    """Return the report of a job. `heard`: texts by "base:speaker" and so on."""
    evaluated = {}
    for name, said in heard.items():
        texts = out / f"{name.replace(':', '-')}.json"
        texts.write_text(json.dumps({f"test-{i}": text for i, text in enumerate(said)}))
        evaluated[EvaluationKey.parse(name)] = TaskResult({TEXTS_FILE: texts}, {"compute_s": 1.0, "audio_s": 10.0})
    recipe = recipe_of(
        CompressionSpec(plan="uniform", language=language),
        speech(*speaker, taught=taught),
        speech(*general) if general else None,
        shape=WHISPERS["base"],
        featurizer=Words(),
        folder=out,
        results={Stage.TUNE: {ModelKey(): TaskResult({})}, Stage.EVALUATE: evaluated},
    )
    made = publish(recipe, ModelKey(), out)
    assert json.loads(made.files["report.json"].read_text()) == made.figures
    return made.files, made.figures


SAID = ["Anna has 12 apples, and one pear."] * 10
WORSE = ["anna has 13 apples and one pear"] * 10


def test_report_card_manifest_and_lines_carry_the_verdict(tmp_path):
    files, report = concluded(tmp_path, "de", SAID, {"base:speaker": SAID, "compressed:speaker": WORSE})
    verdict = report["verdict"]
    assert (verdict["outcome"], verdict["is_sure"]) == ("worse", False)
    card = files["README.md"].read_text()
    assert verdict["sentence"] in card.splitlines()[2]
    assert json.loads(files["adaptwin.json"].read_text())["verdict"] == verdict
    for told in (card, "\n".join(lines(report))):
        assert verdict["sentence"] in told
        assert all(sentence in told for sentence in verdict["advice"])
        assert "word error rate" in told
        assert "10 of 10" in told  # numbers
    assert report["trained_on"] == {"seconds": 120.0, "transcribed_seconds": 120.0}
    assert "2.0 minutes; 10 or more" in " ".join(verdict["advice"])
    found = report["speech"]["speaker"]
    assert found["unit"] == "word"
    assert found["compressed"]["error_rate"] == found["compressed"]["wer"] == pytest.approx(1 / 7)
    assert found["compressed"]["raw"] == {
        "numbers": {"errors": 10, "of": 10},
        "capitals": {"errors": 10, "of": 60},
        "punctuation": {"errors": 20, "of": 20},
    }


def test_a_script_without_spaces_is_judged_by_characters_everywhere(tmp_path, monkeypatch):
    labels = []
    monkeypatch.setattr("matplotlib.axes.Axes.set_ylabel", lambda _axes, label: labels.append(label))
    said = ["今日はいい天気ですね。"] * 12
    heard = {"base:speaker": said, "compressed:speaker": ["今日はいい元気ですね。"] * 12}
    files, report = concluded(tmp_path, "ja", said, heard)
    found = report["speech"]["speaker"]
    assert found["unit"] == "character"
    assert found["compressed"]["error_rate"] == found["compressed"]["cer"] == pytest.approx(1 / 10)
    assert found["compressed"]["wer"] == 1.0
    assert report["verdict"]["difference"] == pytest.approx(1 / 10)
    for told in (files["README.md"].read_text(), "\n".join(lines(report))):
        assert "character error rate" in told
        assert "word" not in told.split("trained on")[0].replace("A smaller", "")
    assert "character error rate, %" in labels


def test_silence_is_told_of_beside_speech_and_alone(tmp_path):
    heard = {"base:speaker": ["one two three", "Thank you."], "compressed:speaker": ["one two three", ""]}
    _, report = concluded(tmp_path, "de", ["one two three", ""], heard)
    assert report["silence"]["speaker"] == {"unit": "word", "num_clips": 1, "heard": {"original": 2, "compressed": 0}}
    assert report["speech"]["speaker"]["num_clips"] == 2
    said = "On 1 clip of this speaker where nobody speaks, the original 2 and the compressed model 0 words are written."
    assert said in lines(report)
    heard = {"base:speaker": ["You", "Bye."], "compressed:speaker": ["", ""]}
    files, report = concluded(tmp_path, "de", ["", ""], heard)
    assert (report["speech"], report["verdict"]["outcome"]) == ({}, "unknown")
    assert report["silence"]["speaker"]["heard"] == {"original": 2, "compressed": 0}
    assert "nobody speaks" in files["README.md"].read_text()


def test_speech_without_transcripts_is_scored_against_the_original(tmp_path):
    heard = {"base:speaker": SAID[:2], "compressed:speaker": WORSE[:2]}
    files, report = concluded(tmp_path, "de", [None, None], heard)
    assert "original" not in report["speech"]["speaker"]
    assert report["verdict"]["outcome"] == "unknown"
    assert "| - |" in files["README.md"].read_text()


def test_general_speech_has_its_own_figures(tmp_path):
    heard = {
        "base:speaker": SAID,
        "compressed:speaker": SAID,
        "base:general": SAID,
        "compressed:general": WORSE,
    }
    _, report = concluded(tmp_path, "de", SAID, heard, general=SAID)
    assert (report["verdict"]["outcome"], report["verdict"]["others"]) == ("no_worse", "worse")
    assert any(line.startswith("For other speakers") for line in lines(report))


def test_no_held_out_speech_is_said(tmp_path):
    files, report = concluded(tmp_path, "de", [], {})
    assert report["verdict"]["outcome"] == "unknown"
    assert "No held-out speech could be judged." in files["README.md"].read_text()
    assert report_plot.write_plot(report, tmp_path)[0].stat().st_size > 0


def test_one_clip_is_told_of_as_one(tmp_path):
    _, report = concluded(tmp_path, "en", SAID[:1], {"base:speaker": SAID[:1], "compressed:speaker": SAID[:1]})
    assert any("on 1 held-out clip, against transcripts" in line for line in lines(report))


def test_clips_that_say_too_much_to_be_taught_are_told_of(tmp_path):
    files, report = concluded(
        tmp_path, "en", SAID, {"base:speaker": SAID, "compressed:speaker": SAID}, taught="word " * 441
    )
    assert report["not_taught"]["speaker"]["num_clips"] == 12
    told = "Not taught: 12 clips of this speaker (train-0, train-1, train-2, train-3, train-4, …): their transcripts"
    assert any(line.startswith(told) for line in lines(report))
    assert f"\n\n{told}" in files["README.md"].read_text()

"""The end of a job: figures, verdict, card, plots and manifest tell the same."""

import json

import pytest
from huggingface_hub import ModelCard

from adaptwin_core.ml.evaluation import report_plot
from adaptwin_core.ml.evaluation.manifest import read_manifest, write_manifest
from adaptwin_core.ml.evaluation.report_card import lines
from tests.unit.ml.concluded_job import SAID, WORSE, concluded


def test_report_card_manifest_and_lines_carry_the_verdict(tmp_path):
    files, report = concluded(tmp_path, "de", SAID, {"base:speaker": SAID, "compressed:speaker": WORSE})
    verdict = report["verdict"]
    assert (verdict["outcome"], verdict["is_sure"]) == ("worse", False)
    card = files["README.md"].read_text()
    assert verdict["sentence"] in ModelCard(card).text.splitlines()[3]  # the third line under the metadata
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
    card = files["README.md"].read_text()
    assert "\n\nNot taught: 12 clips of this speaker: their transcripts" in card
    assert "train-0" not in card, "a card is what a person publishes"


def job_of(speaker, fitted, whole, **more):
    return {"base:speaker": speaker, "compressed:speaker:fitted": fitted, "compressed:speaker:whole": whole, **more}


def told_of(files) -> tuple:
    """Return what configuration and manifest say of the margin."""
    config, manifest = (json.loads(files[name].read_text()) for name in ("config.json", "adaptwin.json"))
    assert "adaptwin_plan" in config, "the rest of the configuration stays"
    return config["adaptwin_margin_s"], manifest["margin_s"]


def test_a_model_that_hears_as_well_in_fitted_windows_is_for_those(tmp_path):
    general = {"base:general": SAID, "compressed:general:fitted": WORSE, "compressed:general:whole": SAID}
    files, report = concluded(tmp_path, "de", SAID, job_of(SAID, SAID, WORSE, **general), general=SAID)
    assert told_of(files) == (0.5, 0.5)
    assert report["window"]["margin_s"] == report["verdict"]["margin_s"] == 0.5
    found = report["speech"]["speaker"]
    assert found["compressed"] == found["windows"]["fitted"]
    assert (found["windows"]["fitted"]["error_rate"], found["windows"]["whole"]["error_rate"]) == (0, 1 / 7)
    assert found["windows"]["whole"]["insertions"] == 0
    assert found["compute_s_per_audio_s"] == {"original": 0.4, "fitted": 0.1, "whole": 0.4}
    assert report["speech"]["general"]["compressed"]["error_rate"] == 1 / 7, "others are judged in the same windows"
    said = (
        "The compressed model is for windows that end 0.5 s after the speech; in whole windows its word error rate is "
        "14.3 % for this speaker and 0.0 % for other speakers. In windows that end 0.5 s after the speech this "
        "speaker's word error rate is 14.3 points lower than in whole windows (95 % interval of the difference: -14.3 "
        "to -14.3)."
    )
    took = (
        "A second of this speaker takes the compressed model 0.1 s of computing in fitted windows and 0.4 s in whole "
        "ones; the original takes 0.4 s."
    )
    for told in (lines(report), files["README.md"].read_text().splitlines()):
        assert said in told
        assert took in told
    row = next(line for line in files["README.md"].read_text().splitlines() if line.startswith("| this speaker | word"))
    assert [cell.split(" % ")[0].strip() for cell in row.split("|")[3:6]] == ["0.0", "0.0", "14.3"]


def test_a_model_that_hears_its_speaker_worse_in_fitted_windows_is_for_whole_ones(tmp_path):
    files, report = concluded(tmp_path, "de", SAID, job_of(SAID, WORSE, SAID))
    assert told_of(files) == (None, None)
    assert report["window"]["margin_s"] is report["verdict"]["margin_s"] is None
    found = report["speech"]["speaker"]
    assert found["compressed"] == found["windows"]["whole"]
    assert found["windows"]["fitted"]["error_rate"] == 1 / 7
    assert report["verdict"]["outcome"] == "no_worse"
    (told,) = (line for line in lines(report) if line.startswith("The compressed model is for"))
    assert told.startswith(
        "The compressed model is for whole windows; in windows that end 0.5 s after the speech its word error rate is "
        "14.3 % for this speaker. In windows that end 0.5 s after the speech this speaker's word error rate is 14.3 "
        "points higher"
    )
    assert "send more speech or train for more steps (personal_steps" in told


def test_fitted_windows_that_nothing_shows_to_be_safe_are_not_used(tmp_path):
    for speaker, heard in (([], {}), (["", ""], job_of(["", ""], ["", ""], ["", ""]))):
        files, report = concluded(tmp_path, "de", speaker, heard)
        assert told_of(files) == (None, None)
        assert any("No held-out speech of this speaker holds words" in line for line in lines(report))


def test_silence_is_told_of_in_the_windows_that_the_model_is_for(tmp_path):
    said = [*SAID, ""]
    _, report = concluded(tmp_path, "de", said, job_of(said, [*SAID, "one"], [*SAID, "one two three"]))
    assert report["window"]["margin_s"] == 0.5
    assert report["silence"]["speaker"]["heard"]["compressed"] == 1


def test_the_plot_has_both_kinds_of_windows(tmp_path, monkeypatch):
    labels = []
    bar = report_plot.plt.Axes.bar

    def labelled(axes, *given, **how):
        labels.append(how.get("label"))
        return bar(axes, *given, **how)

    monkeypatch.setattr("matplotlib.axes.Axes.bar", labelled)
    concluded(tmp_path, "de", SAID, job_of(SAID, WORSE, SAID))
    assert labels[:3] == ["original, whole windows", "compressed, fitted windows", "compressed, whole windows"]


@pytest.mark.parametrize(("form", "margin_s"), [("checkpoint", 0.5), ("ct2-int8", 0.5), ("dense", None)])
def test_a_manifest_has_a_margin_only_where_the_form_takes_fitted_windows(tmp_path, form, margin_s):
    report = {"window": {"margin_s": 0.5}}
    write_manifest({}, tmp_path, form=form, report=report, verdict=None, licence=None)
    assert read_manifest(tmp_path)["margin_s"] == margin_s

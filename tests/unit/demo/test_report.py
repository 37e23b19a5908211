"""The demo's verdict, and what it rests on."""

import ast
import json
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bench.demo import report, transcribe
from bench.demo.held_out import HeldOut
from bench.demo.speech import packed


def heard(texts: dict[str, str], params: int, whole: dict[str, str] | None = None) -> dict[str, Any]:
    """What transcribe.py writes. `whole`: what is heard in whole windows, by a model that is for fitted ones."""
    sizes = {
        "encoder_params": params,
        "total_params": 10 * params,
        "weights_bytes": 20 * params,
        "model_class": "Whisper",
    }
    own = {"texts": texts, "compute_s": 2.0}
    others = {"texts": whole, "compute_s": 6.0} if whole is not None else own
    margin_s = None if whole is None else 0.5
    return {**own, "margin_s": margin_s, "in_whole_windows": others, "audio_s": 8.0, **sizes}


@pytest.fixture
def verdict() -> dict[str, Any]:
    said = {"a": "alpha bravo charlie delta", "b": "echo foxtrot golf hotel"}
    wrong = {"a": "alpha bravo charlie", "b": "echo foxtrot golf motel"}
    held_out = {"speaker": HeldOut(Path(), said, 8.0), "others": HeldOut(Path(), {}, 8.0)}
    models = {
        "original": {"speaker": heard(wrong, 1000), "others": heard(said, 1000)},
        "compressed": {"speaker": heard(said, 650, wrong), "others": heard(wrong, 650, said)},
    }
    return report.judge(held_out, models, "en", 0) | {
        "model": "whisper-tiny.en",
        "cut": 0.35,
        "speech_source": "a test",
    }


def test_both_models_are_scored_on_the_same_clips(verdict: dict[str, Any]) -> None:
    speaker = verdict["speech"]["speaker"]
    assert (speaker["original"]["wer"], speaker["compressed"]["wer"]) == (0.25, 0.0)
    assert speaker["reference"] == "transcripts"
    assert speaker["compressed_in_whole_windows"]["wer"] == 0.25
    original, compressed = verdict["models"]["original"], verdict["models"]["compressed"]
    assert (original["compute_s_per_audio_s"], original["compute_s_per_audio_s_in_whole_windows"]) == (0.25, 0.25)
    assert (compressed["compute_s_per_audio_s"], compressed["compute_s_per_audio_s_in_whole_windows"]) == (0.25, 0.75)
    assert (original["margin_s"], compressed["margin_s"]) == (None, 0.5)


def test_without_transcripts_the_original_is_the_reference(verdict: dict[str, Any]) -> None:
    others = verdict["speech"]["others"]
    assert others["reference"] == "the original model's own output"
    assert (others["original"]["wer"], others["compressed"]["wer"]) == (0.0, 0.25)


def test_table_json_and_plot_tell_the_same(verdict: dict[str, Any], tmp_path: Path) -> None:
    console = Console(width=140, record=True, file=(tmp_path / "table").open("w"))
    console.print(report.table(verdict))
    text = console.export_text()
    assert "25.0 (" in text
    assert "6,500" in text
    assert "0.750" in text
    assert "windows that end 0.5 s after the speech" in text
    report.write_json(verdict, tmp_path)
    assert json.loads((tmp_path / "report.json").read_text()) == verdict
    report.write_plot(verdict, tmp_path)
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "plot.svg").read_text()


def test_the_transcriber_knows_nothing_of_this_project() -> None:
    tree = ast.parse(Path(transcribe.__file__).read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    foreign = {name.split(".")[0] for name in names} - sys.stdlib_module_names
    assert foreign == {"soundfile", "torch", "transformers"}


def test_a_folder_is_packed_whole_but_for_hidden_files(tmp_path: Path) -> None:
    speech = tmp_path / "anna"
    (speech / "wavs").mkdir(parents=True)
    for name in ("metadata.csv", "wavs/1.wav", ".digest"):
        (speech / name).write_text("x")
    with tarfile.open(packed(speech, tmp_path / "uploads")) as tar:
        assert tar.getnames() == ["metadata.csv", "wavs/1.wav"]
    assert packed(speech / "wavs" / "1.wav", tmp_path / "uploads") == speech / "wavs" / "1.wav"

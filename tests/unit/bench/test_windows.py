"""A finished model is judged at every margin beside its original, and a page shows it."""

import json
import sys

import pytest

from adaptwin_core.domain.manifests import MODEL_MANIFEST
from adaptwin_core.domain.plan import RankPlan
from adaptwin_core.ml.base.models import describe, resolve
from adaptwin_core.ml.model.checkpoint import assemble, save
from bench import windows
from bench.finished import OURS, STOCK
from tests.unit.bench.synthetic_speech import speech_folder


def row(model, margin_s, errors, encoder_ms):
    clips = " ".join(f"{wrong}/10" for wrong in errors)
    rate = 10.0 * sum(errors) / len(errors)
    found = {"model": model, "margin_s": margin_s, "bytes": 39_000_000, "encoder_ms": encoder_ms}
    found |= {"others_wer": [rate / 10, 0.0, 100.0]}
    return found | {"speaker_wer": [rate, 0.0, 100.0], "speaker_inserted": sum(errors), "speaker_clips": clips}


def test_the_page_tells_stock_from_ours_and_how_far_fitted_windows_are_from_whole_ones(tmp_path, monkeypatch):
    rows = [row(STOCK, None, [5, 5], 300.0)]
    rows += [row(OURS, margin_s, [1, 1 if margin_s is None else 2], 40.0) for margin_s in windows.MARGINS]
    how = {
        "speech": {"speaker": "voice", "others": "many"},
        "model": "whisper-tiny.en",
        "settings": {"encoder_cut": 0.45},
    }
    monkeypatch.setattr(windows, "results_of", lambda name: [{"how": how, "rows": rows}] if name == "windows" else [])
    speech, model, size, stock, whole, *margins, apart, inserted, others, encoder = (
        windows.table().splitlines()[2].strip("| ").split(" | ")
    )
    assert (speech, model, size) == ("`voice`", "whisper-tiny.en, encoder -45%", "39 / 39")
    assert (stock, whole, margins) == ("50.0 (0.0-100.0)", "10.0 (0.0-100.0)", ["15.0"] * 4)
    assert apart.startswith("5.0 (")
    assert (inserted, others, encoder) == ("10 / 2 / 3 / 3", "5.0 / 1.0 / 1.5", "300 / 40")
    assert "Over all 20 words, ours made 2 errors in whole windows, 3 at 2 s" in windows.table()


def test_a_page_without_a_run_says_so(monkeypatch):
    monkeypatch.setattr(windows, "results_of", lambda _name: [])
    assert windows.table() == windows.NO_RUN


@pytest.mark.release
@pytest.mark.weights
def test_a_finished_model_is_judged_at_every_margin(tmp_path, tmp_path_factory, monkeypatch):
    base = resolve("package:whisper-tiny.en", tmp_path_factory.getbasetemp() / "models")
    model = tmp_path / "model"
    save(assemble(base, RankPlan(blocks={}), {}), base, model)
    manifest = {"base_model": {"model": "whisper-tiny.en", "digest": describe(base)[0]}, "margin_s": 0.5}
    manifest |= {"settings": {"language": "en", "weights": "float16", "encoder_cut": 0.0}}
    (model / MODEL_MANIFEST).write_text(json.dumps(manifest))
    options = {"--model": model, "--base": f"folder:{base}", "--speech": speech_folder(tmp_path / "speech")}
    options["--others"] = options["--speech"]
    given = [str(word) for pair in options.items() for word in pair]
    monkeypatch.setattr(sys, "argv", ["windows", "--quick", *given, "--out", str(tmp_path / "rows.json")])
    windows.main()
    rows = {(row["model"], row["margin_s"]): row for row in json.loads((tmp_path / "rows.json").read_text())["rows"]}
    assert list(rows) == [(STOCK, None), *((OURS, margin_s) for margin_s in windows.MARGINS)]
    assert all(row["others_clips"] == row["speaker_clips"] for row in rows.values())
    stock, whole, fitted = rows[STOCK, None], rows[OURS, None], rows[OURS, 0.5]
    assert whole["speaker_clips"] == stock["speaker_clips"]  # nothing was cut or learnt
    assert whole["speaker_wer"][0] < 30
    assert fitted["encoder_ms"] < whole["encoder_ms"] / 2  # a tenth of the frames, on a machine that may be busy

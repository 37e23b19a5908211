"""What all benches share: rows that survive a stop, and a short run whose values a person may still set."""

import json
import sys

import pytest

from bench.runner import Run, command_line, parsed

HOW = {"model": "tiny", "clips": 4}


def test_a_stopped_run_goes_on_with_the_rows_it_had_written(tmp_path):
    out = tmp_path / "deep" / "rows.json"
    first = Run(out, HOW)
    first.add({"system": "a", "wer": 1.0})
    again = Run(out, HOW)
    assert again.has(system="a")
    assert not again.has(system="a", wer=2.0)
    assert not again.has(system="b")
    again.add({"system": "b", "wer": 2.0})
    written = json.loads(out.read_text())
    assert [row["system"] for row in written["rows"]] == ["a", "b"]
    assert written["how"].items() >= HOW.items()


def test_rows_made_in_another_way_are_not_mixed_in(tmp_path):
    out = tmp_path / "rows.json"
    Run(out, HOW).add({"system": "a"})
    with pytest.raises(SystemExit, match="made in another way"):
        Run(out, HOW | {"clips": 5})


@pytest.mark.parametrize(
    ("given", "clips"), [([], 48), (["--quick"], 4), (["--quick", "--clips", "7"], 7), (["--clips", "7"], 7)]
)
def test_quick_sets_what_a_person_does_not(given, clips, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["bench", *given])
    parser = command_line("A bench.", "rows")
    parser.add_argument("--clips", type=int, default=48)
    assert parsed(parser, {"clips": 4}).clips == clips

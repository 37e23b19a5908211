"""The README is short, and says what the committed runs say. After a new run: `python -m bench.pages`."""

from pathlib import Path

import pytest

from bench.headline import SPEAKERS, draw, rows, table

README = (Path(__file__).parents[2] / "README.md").read_text()
MOST_WORDS = 800


def test_its_table_holds_the_committed_figures():
    assert table() in README, "run `python -m bench.pages`"


@pytest.mark.parametrize("run", SPEAKERS.values())
def test_its_claim_holds(run):
    found = rows(run)
    tuned, base = found["Whisper tiny.en, fine-tuned"], found["Whisper base, original"]
    assert tuned["speaker_wer"][0] < base["speaker_wer"][0]
    assert tuned["others_wer"][0] <= base["others_wer"][0]
    assert f"{tuned['others_wer'][0]:.1f} %" in README
    assert f"{base['others_wer'][0]:.1f} %" in README
    assert tuned["bytes"] < 0.53 * base["bytes"]


def test_its_picture_can_be_drawn_from_them(tmp_path):
    draw(tmp_path / "headline.png")
    assert (tmp_path / "headline.png").read_bytes().startswith(b"\x89PNG")


def test_it_is_read_in_a_few_minutes():
    assert len(README.split()) <= MOST_WORDS

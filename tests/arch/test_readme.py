"""The README is short, and its table is that of the committed runs. After a new run: `python -m bench.pages`."""

from pathlib import Path

from bench.headline import table

README = (Path(__file__).parents[2] / "README.md").read_text()
MOST_WORDS = 800


def test_its_table_holds_the_committed_figures():
    assert table() in README, "run `python -m bench.pages`"


def test_it_is_read_in_a_few_minutes():
    assert len(README.split()) <= MOST_WORDS

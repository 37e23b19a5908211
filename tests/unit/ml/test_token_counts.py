"""The table of tokens that languages need is the tokenizer's. `python -m tests.unit.ml.test_token_counts` counts anew,
in a few minutes.
"""

import json
from functools import cache
from pathlib import Path

import pytest

from adaptwin_core.domain import token_counts
from adaptwin_core.domain.token_counts import least_tokens
from adaptwin_core.domain.word_lists import WORD_LISTS
from adaptwin_core.ml.base.kept_tokens import kept_tokens
from adaptwin_core.ml.base.models import resolve
from adaptwin_core.ml.base.token_ids import END, ids_in

TABLE = Path(token_counts.__file__).with_name(token_counts.TABLE_FILE)


@cache
def tokenizer() -> dict:
    return json.loads((resolve("package:whisper-base", Path("var/models")) / "tokenizer.json").read_text("utf-8"))


def needed(*languages: str, texts: tuple[str, ...] = ()) -> int:
    """How many tokens of text, without special ones."""
    return len(kept_tokens(tokenizer(), languages, texts, vocab_size=ids_in(tokenizer())[END]))


def current() -> str:
    return json.dumps({code: needed(code) for code in sorted(WORD_LISTS)}, indent=0) + "\n"


@pytest.mark.weights
def test_the_table_tells_what_a_language_needs():
    assert least_tokens(["hi"]) == needed("hi")


@pytest.mark.weights
@pytest.mark.release
@pytest.mark.timeout(1800)
def test_the_whole_table_is_current():
    assert TABLE.read_text() == current(), "words or tokens changed: run `python -m tests.unit.ml.test_token_counts`"


@pytest.mark.weights
def test_more_languages_and_transcripts_need_no_fewer_than_the_table_tells():
    assert least_tokens(["fa", "hi"]) == max(least_tokens(["fa"]), least_tokens(["hi"])) < needed("fa", "hi")
    assert least_tokens(["hi"]) < needed("hi", texts=("Привет, как дела?",))


def test_every_language_with_a_word_list_is_counted():
    assert all(256 < least_tokens([code]) < 50_257 for code in WORD_LISTS)


if __name__ == "__main__":
    TABLE.write_text(current())

"""The table of tokens that languages need is the tokenizer's. `python -m tests.unit.ml.test_token_counts` counts anew,
in ten minutes.
"""

import json
from functools import cache
from itertools import combinations, combinations_with_replacement
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


@cache
def needed(*languages: str, texts: tuple[str, ...] = ()) -> frozenset[int]:
    """The tokens of text, without special ones."""
    return frozenset(kept_tokens(tokenizer(), languages, texts, vocab_size=ids_in(tokenizer())[END]))


def current() -> str:
    rows = [
        f"{json.dumps(code)}: "
        + json.dumps({other: len(needed(code) | needed(other)) for other in sorted(WORD_LISTS) if other <= code})
        for code in sorted(WORD_LISTS)
    ]
    return "{\n" + ",\n".join(rows) + "\n}\n"


@pytest.mark.weights
@pytest.mark.parametrize("languages", [["hi"], ["fa", "hi"]], ids=" ".join)
def test_the_table_tells_what_languages_need(languages: list[str]):
    assert least_tokens(languages) == len(needed(*languages))


@pytest.mark.weights
@pytest.mark.release
@pytest.mark.timeout(1800)
def test_the_whole_table_is_current():
    assert TABLE.read_text() == current(), "words or tokens changed: run `python -m tests.unit.ml.test_token_counts`"


@pytest.mark.weights
def test_more_languages_and_transcripts_need_no_fewer_than_the_table_tells():
    three = ["bg", "fa", "hi"]
    assert max(map(least_tokens, combinations(three, 2))) == least_tokens(three) < len(needed(*three))
    assert least_tokens(["hi"]) < len(needed("hi", texts=("Привет, как дела?",)))


def test_two_languages_need_as_many_as_either_and_no_more_than_both():
    for first, second in combinations_with_replacement(sorted(WORD_LISTS), 2):
        alone = [least_tokens([first]), least_tokens([second])]
        assert max(alone) <= least_tokens([first, second]) == least_tokens([second, first]) <= sum(alone)


if __name__ == "__main__":
    TABLE.write_text(current())

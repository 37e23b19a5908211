"""How many tokens of text languages need at least, known before any transcript is read.

The table counts Whisper's own tokens for the words of each language and of each two languages together. It is made and
checked by `tests/unit/ml/test_token_counts.py`.
"""

import json
from collections.abc import Collection, Mapping
from functools import cache
from importlib import resources
from itertools import combinations_with_replacement

TABLE_FILE = "token_counts.json"  # {code: {code of the same or an earlier language: tokens that both need}}


def least_tokens(languages: Collection[str]) -> int:
    """Return a number of tokens that the words of all these languages surely need.

    It is exact for one or two languages. More of them need at least what any two need.

    Args:
        languages: one or more of `WORD_LISTS`.
    """
    table = _table()
    pairs = combinations_with_replacement(sorted(languages), 2)
    return max(table[second][first] for first, second in pairs)


@cache
def _table() -> Mapping[str, Mapping[str, int]]:
    table: dict[str, dict[str, int]] = json.loads(resources.files(__package__).joinpath(TABLE_FILE).read_text("utf-8"))
    return table

"""How many tokens of text languages need at least, known before any transcript is read.

The table counts Whisper's own tokens for the words of each language. It is made and checked by
`tests/unit/ml/test_token_counts.py`.
"""

import json
from collections.abc import Collection, Mapping
from functools import cache
from importlib import resources

TABLE_FILE = "token_counts.json"  # {code of a language: tokens that its words need}


def least_tokens(languages: Collection[str]) -> int:
    """Return a number of tokens that the words of all these languages surely need: those of the one that needs most.

    Args:
        languages: one or more of `WORD_LISTS`.
    """
    return max(_table()[language] for language in languages)


@cache
def _table() -> Mapping[str, int]:
    table: dict[str, int] = json.loads(resources.files(__package__).joinpath(TABLE_FILE).read_text("utf-8"))
    return table

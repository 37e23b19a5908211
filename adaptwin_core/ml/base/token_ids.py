"""Whisper's special tokens in a tokenizer: which languages they name, and whether the model was trained on them.

The size of a vocabulary tells neither. An English-only Whisper with one token added has as many tokens as a
multilingual one, and its tokenizer holds language tokens that it was never trained on.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from adaptwin_core.domain.languages import ENGLISH_ONLY

END, START = "<|endoftext|>", "<|startoftranscript|>"
NUM_TIMESTAMPS = 1501  # 0.00 to 30.00 s in steps of 20 ms
_ENGLISH_END = 50256  # the end of GPT-2's vocabulary; the multilingual vocabulary is one token longer


def token_ids(folder: Path) -> dict[str, int]:
    """Return the id of every token in a folder's tokenizer.json."""
    return ids_in(json.loads((folder / "tokenizer.json").read_text("utf-8")))


def ids_in(tokenizer: Mapping[str, Any]) -> dict[str, int]:
    """Return the id of every token in the content of a tokenizer.json."""
    return {**tokenizer["model"]["vocab"], **{token["content"]: token["id"] for token in tokenizer["added_tokens"]}}


def is_multilingual(ids: Mapping[str, int]) -> bool:
    """Return whether a Whisper with these tokens takes a language and a task."""
    return ids[END] != _ENGLISH_END


def language_ids(ids: Mapping[str, int]) -> dict[str, int]:
    """Return the language tokens of a multilingual Whisper, such as <|de|>, in the order of their ids; else none."""
    if not is_multilingual(ids):
        return {}
    languages = {token: index for token, index in ids.items() if ids[START] < index < ids["<|translate|>"]}
    return dict(sorted(languages.items(), key=lambda token: token[1]))


def languages_of(ids: Mapping[str, int]) -> tuple[str, ...]:
    """Return the codes of the languages that a Whisper with these tokens can transcribe."""
    return tuple(token.strip("<|>") for token in language_ids(ids)) or ENGLISH_ONLY


def first_timestamp(ids: Mapping[str, int]) -> int:
    """Return the id of <|0.00|>, whether or not the tokenizer holds it."""
    return ids["<|notimestamps|>"] + 1

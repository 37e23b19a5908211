"""A base model with the tokens of some languages only."""

from collections.abc import Sequence
from pathlib import Path

from adaptwin_core.ml.base.kept_tokens import kept_tokens
from adaptwin_core.ml.base.reduced_folder import with_kept_tokens
from adaptwin_core.ml.base.weights import read_json


def reduced_base(base: Path, cache: Path, languages: Sequence[str], texts: Sequence[str] = ()) -> Path:
    """Return a folder in `cache` with the multilingual base model of the folder `base`, and fewer tokens."""
    size = read_json(base / "config.json")["vocab_size"]
    kept = kept_tokens(read_json(base / "tokenizer.json"), languages, texts, vocab_size=size)
    assert len(kept) < size
    return with_kept_tokens(base, kept, cache)

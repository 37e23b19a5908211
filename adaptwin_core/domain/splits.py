"""The three parts of a set of speech: trained on, validated on, and held out for testing."""

from typing import Final, Literal, get_args

Split = Literal["train", "valid", "test"]
SPLITS: Final[tuple[Split, ...]] = get_args(Split)

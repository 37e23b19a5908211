"""The words that people write for a split, in a column of a table or in the name of a table or a folder."""

from typing import Final

from adaptwin_core.domain.splits import Split

SPLIT_OF: Final[dict[str, Split]] = {
    **dict.fromkeys(("train", "training", "general"), "train"),
    **dict.fromkeys(("valid", "validation", "dev", "val"), "valid"),
    **dict.fromkeys(("test", "testing", "eval"), "test"),
}
# `general` is a word of one public set's columns. In a file's or a folder's name it is too common to mean a split.
SPLIT_OF_FILE_WORD: Final = {word: split for word, split in SPLIT_OF.items() if word != "general"}

"""What a transcript file says of a recording, before it is known which recording it means."""

from dataclasses import dataclass
from typing import Literal

Split = Literal["train", "valid", "test"]

SPLITS: dict[str, Split] = {
    **dict.fromkeys(("train", "training", "general"), "train"),
    **dict.fromkeys(("valid", "validation", "dev", "val"), "valid"),
    **dict.fromkeys(("test", "testing", "eval"), "test"),
}


@dataclass(frozen=True)
class Line:
    """What is known of one recording.

    `text` is None where nothing is known, and empty where it is known that nobody speaks.
    """

    text: str | None = None
    split: Split | None = None

    @property
    def is_wordless(self) -> bool:
        """Whether it is known that nobody speaks."""
        return self.text == ""


@dataclass(frozen=True)
class Claim:
    """One line said of one recording.

    `key` names the recording as the file wrote it: with or without folder and extension, perhaps by an absolute path of
    another machine. `folder` is the label of the folder that the transcript file lies in, "" at the top.
    """

    key: str
    folder: str
    line: Line
    place: str  # where it was read, for messages: "metadata.csv, line 7"
    is_sidecar: bool

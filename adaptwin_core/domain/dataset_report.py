"""What a person is told about a dataset once its audio was read."""

from typing import Literal

from pydantic import Field

from adaptwin_core.domain.spec import Frozen


class RejectedFile(Frozen):
    """A file that is not used, and why."""

    name: str
    code: str
    reason: str


class DatasetWarning(Frozen):
    """Something about files that are used which the person should know."""

    code: str
    message: str
    count: int = Field(ge=1)
    examples: list[str]


class DatasetNote(Frozen):
    """How a file was understood where it could have been otherwise."""

    name: str
    code: str
    message: str


class DatasetReport(Frozen):
    seconds: float = Field(description="seconds of speech in all clips")
    clips: int
    labelled: int = Field(description="clips with a transcript")
    labelled_train: int = Field(0, description="those of them that are trained on")
    splits: dict[Literal["train", "valid", "test"], float] = Field(description="seconds of speech of each split")
    rejects: list[RejectedFile]
    warnings: list[DatasetWarning]
    notes: list[DatasetNote] = Field(default=[], description="how files were understood: columns, encodings")

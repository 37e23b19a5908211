"""What a person is told about a dataset once its audio was read."""

from collections.abc import Collection, Iterable
from typing import Protocol

from pydantic import Field

from adaptwin_core.domain.spec import Frozen
from adaptwin_core.domain.splits import Split


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


class ClipFigures(Protocol):
    """What the figures need to know of a clip."""

    @property
    def seconds(self) -> float: ...

    @property
    def text(self) -> str | None:
        """The transcript: None where it is not known, empty where nobody speaks."""


class SplitFigures(Frozen):
    """What one split holds."""

    clips: int
    labelled: int = Field(description="clips with a transcript")
    silent: int = Field(description="those of them whose transcript is empty: nobody speaks")
    labelled_seconds: float = Field(description="seconds of clips whose transcript has words")
    unlabelled_seconds: float = Field(description="seconds of clips without a transcript")
    words: int | None = Field(
        None, description="words of the transcripts, as spaces part them; null where an older version read them"
    )
    characters: int | None = Field(None, description="characters of the transcripts without the spaces, likewise")


def figures_of(clips: Collection[ClipFigures]) -> SplitFigures:
    """Return the figures of one split's clips."""
    texts = [(clip.text or "").split() for clip in clips if clip.text is not None]
    return SplitFigures(
        clips=len(clips),
        labelled=len(texts),
        silent=sum(clip.text is not None and not clip.text for clip in clips),
        labelled_seconds=seconds_in(clip for clip in clips if clip.text),
        unlabelled_seconds=seconds_in(clip for clip in clips if clip.text is None),
        words=sum(len(words) for words in texts),
        characters=sum(len("".join(words)) for words in texts),
    )


def seconds_in(clips: Iterable[ClipFigures]) -> float:
    """Return how long clips last together, to the millisecond."""
    return round(sum(clip.seconds for clip in clips), 3)


class DatasetReport(Frozen):
    """The figures of one set of speech, the same from the service and from `adaptwin compress`."""

    seconds: float = Field(description="seconds of speech in all clips")
    clips: int
    recordings: int = Field(0, description="files that are used")
    labelled: int = Field(description="clips with a transcript")
    labelled_train: int = Field(0, description="those of them that are trained on")
    splits: dict[Split, float] = Field(description="seconds of speech of each split")
    parts: dict[Split, SplitFigures] = Field(
        default={}, description="what each split holds; datasets that were read by an older version tell nothing here"
    )
    rejects: list[RejectedFile]
    warnings: list[DatasetWarning]
    notes: list[DatasetNote] = Field(default=[], description="how files were understood: columns, encodings")

    @property
    def is_transcribed(self) -> bool:
        """Whether any clip to train on has a transcript with words."""
        if "train" in self.parts:
            return self.parts["train"].labelled > self.parts["train"].silent
        if "labelled_train" in self.model_fields_set:
            return self.labelled_train > 0
        return self.labelled > 0  # the oldest reports tell of all clips only

"""The report on a set of speech once its audio is read: figures, files that are not used, warnings and notes."""

from collections.abc import Collection, Iterable
from typing import Protocol

from pydantic import Field

from adaptwin_core.domain.frozen import Frozen
from adaptwin_core.domain.splits import Split


class RejectedFile(Frozen):
    """A file that is not used, and why."""

    name: str
    code: str
    reason: str


class DatasetWarning(Frozen):
    """Something that the person should know of files that are used."""

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
    labelled: int = Field(description="Clips with a transcript.")
    silent: int = Field(description="Clips whose transcript is empty because nobody speaks.")
    labelled_seconds: float = Field(description="Seconds of clips whose transcript has words.")
    unlabelled_seconds: float = Field(description="Seconds of clips without a transcript.")
    words: int | None = Field(
        None,
        description="Words of the transcripts, separated by spaces. It is null if an older version read the speech.",
    )
    characters: int | None = Field(
        None,
        description="Characters of the transcripts without spaces. It is null if an older version read the speech.",
    )


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

    seconds: float = Field(description="Seconds of speech in all clips.")
    clips: int
    recordings: int = Field(0, description="Files that are used.")
    labelled: int = Field(description="Clips with a transcript.")
    labelled_train: int = Field(0, description="Clips with a transcript that are trained on.")
    splits: dict[Split, float] = Field(description="Seconds of speech in each split.")
    parts: dict[Split, SplitFigures] = Field(
        default={}, description="What each split holds. It is empty if an older version read the speech."
    )
    rejects: list[RejectedFile]
    warnings: list[DatasetWarning]
    notes: list[DatasetNote] = Field(default=[], description="How files were understood: their columns and encodings.")

    @property
    def is_transcribed(self) -> bool:
        """Whether any clip to train on has a transcript with words."""
        if "train" in self.parts:
            return self.parts["train"].labelled > self.parts["train"].silent
        if "labelled_train" in self.model_fields_set:
            return self.labelled_train > 0
        return self.labelled > 0  # the oldest reports count all clips together

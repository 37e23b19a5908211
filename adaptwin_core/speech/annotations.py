"""What transcript files say of recordings, before and after it is known which recording is meant."""

from dataclasses import dataclass

from adaptwin_core.domain.splits import Split


@dataclass(frozen=True)
class Annotation:
    """What is known of one recording.

    `text` is None where nothing is known, and empty where it is known that nobody speaks.
    """

    text: str | None = None
    split: Split | None = None

    @property
    def is_nonspeech(self) -> bool:
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
    annotation: Annotation
    place: str  # where it was read, for messages: "metadata.csv, line 7"
    is_sidecar: bool

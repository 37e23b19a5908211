"""What transcript files say of recordings, before and after it is known which recording is meant."""

from dataclasses import dataclass

from adaptwin_core.domain.splits import Split


@dataclass(frozen=True)
class Annotation:
    """What is known of one recording: its transcript and its split.

    `text` is None where the transcript is not known, and empty where nobody speaks in the recording.
    """

    text: str | None = None
    split: Split | None = None

    @property
    def is_nonspeech(self) -> bool:
        """Whether the transcript says that nobody speaks."""
        return self.text == ""


@dataclass(frozen=True)
class Claim:
    """What one line of a transcript file, or a whole file, says of one recording.

    `key` names the recording as the file wrote it: with or without folder and extension, perhaps by an absolute path of
    another machine. `folder` is the label of the folder that the transcript file lies in, "" at the top.
    """

    key: str
    folder: str
    annotation: Annotation
    place: str  # where it was read, for messages: "metadata.csv, line 7"
    is_sidecar: bool

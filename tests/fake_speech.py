"""Speech in memory, in place of a corpus on disk: a clip sounds at one level from its start to its end."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from adaptwin_core.domain.audio import SAMPLE_RATE_HZ
from adaptwin_core.speech.corpus import Clip, Corpus


class Speech:
    """What the maths asks of a corpus."""

    split = Corpus.split
    is_transcribed = Corpus.is_transcribed

    def __init__(self, clips: Sequence[Clip], *, digest: str = "speech") -> None:
        self.clips, self.digest = list(clips), digest

    def audio(self, clip: Clip) -> npt.NDArray[np.float32]:
        """Return samples that all have the level that `new_clip` was given, shape (num_samples,)."""
        return np.full(clip.num_samples, clip.start, np.float32)


def new_clip(
    name: object, text: str | None = None, split: str = "train", *, seconds: float = 1.0, level: int = 0
) -> Clip:
    """Return a clip that is a recording of its own."""
    return Clip(str(name), f"{name}.wav", text, split, "shard", level, int(seconds * SAMPLE_RATE_HZ))  # type: ignore[arg-type]


def speech_in_splits(*, labelled: bool = True, **splits: int) -> Speech:
    """Return so many ten-second clips of two words in each split named."""
    return Speech(
        [
            new_clip(f"{split}-{i}", f"words {i}" if labelled else None, split, seconds=10)
            for split, count in splits.items()
            for i in range(count)
        ]
    )

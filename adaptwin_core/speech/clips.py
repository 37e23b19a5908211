"""Makes clips of the pieces of recordings, once each has its split."""

from collections.abc import Sequence
from dataclasses import dataclass

from adaptwin_core.speech import split
from adaptwin_core.speech.annotations import Annotation
from adaptwin_core.speech.corpus import Clip
from adaptwin_core.speech.shards import Span


@dataclass(frozen=True)
class UsedFile:
    """A recording that is used, with its pieces in time order."""

    name: str
    annotation: Annotation
    spans: tuple[Span, ...]


def clips_of(used: Sequence[UsedFile]) -> tuple[Clip, ...]:
    """Return the clips of all recordings, in their order."""
    splits = split.assign(
        [
            split.Recording(
                t.name,
                tuple(span.num_samples for span in t.spans),
                t.annotation.split,
                is_nonspeech=t.annotation.is_nonspeech,
            )
            for t in used
        ]
    )
    clips: list[Clip] = []
    for file, piece_splits in zip(used, splits, strict=True):
        for span, piece_split in zip(file.spans, piece_splits, strict=True):
            clips.append(
                Clip(
                    id=f"clip-{len(clips):05d}",
                    recording=file.name,
                    text=file.annotation.text,
                    split=piece_split,
                    shard=span.shard,
                    start=span.start,
                    num_samples=span.num_samples,
                )
            )
    return tuple(clips)

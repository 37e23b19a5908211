"""Gives the pieces of recordings their splits, and makes clips of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from adaptwin_core.speech import split
from adaptwin_core.speech.claims import Line
from adaptwin_core.speech.corpus import Clip, Place


@dataclass(frozen=True)
class Taken:
    """A file that is used: its pieces, in time order."""

    name: str
    line: Line
    places: tuple[Place, ...]


def clips_of(taken: Sequence[Taken]) -> tuple[Clip, ...]:
    """Return the clips of all files, in the order of the files."""
    splits = split.assign(
        [
            split.Recording(
                t.name, tuple(place.num_samples for place in t.places), t.line.split, is_wordless=t.line.is_wordless
            )
            for t in taken
        ]
    )
    clips: list[Clip] = []
    for file, piece_splits in zip(taken, splits, strict=True):
        for place, piece_split in zip(file.places, piece_splits, strict=True):
            clips.append(
                Clip(
                    id=f"clip-{len(clips):05d}",
                    recording=file.name,
                    text=file.line.text,
                    split=piece_split,
                    shard=place.shard,
                    start=place.start,
                    num_samples=place.num_samples,
                )
            )
    return tuple(clips)

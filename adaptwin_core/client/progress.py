"""How far a transfer of files has come."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """Bytes that are safe of one file, and of all files of a transfer. They become fewer where bytes were lost."""

    name: str
    file_done_bytes: int
    file_bytes: int
    done_bytes: int
    total_bytes: int


OnProgress = Callable[[Progress], None]


class Meter:
    """Adds up the bytes of all files, and tells of each step.

    Args:
        sizes: the bytes of each file, by name.
    """

    def __init__(self, sizes: Mapping[str, int], on_progress: OnProgress | None) -> None:
        self._sizes, self._on_progress = sizes, on_progress
        self._done = dict.fromkeys(sizes, 0)
        self._total_bytes = sum(sizes.values())

    def at(self, name: str, done_bytes: int) -> None:
        """Tell that so many bytes of a file are there."""
        self._done[name] = done_bytes
        if self._on_progress is not None:
            all_done = sum(self._done.values())
            self._on_progress(Progress(name, done_bytes, self._sizes[name], all_done, self._total_bytes))

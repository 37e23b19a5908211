"""A transcript file as text, and the entries that are read in it, before names and splits are settled."""

from dataclasses import dataclass
from typing import NamedTuple

from adaptwin_core.speech.files.sources import base
from adaptwin_core.speech.notices import NoteCode


@dataclass(frozen=True)
class TextFile:
    """A file that may hold transcripts."""

    name: str  # its label
    text: str

    @property
    def base(self) -> str:
        return base(self.name)

    @property
    def folder(self) -> str:
        return self.name[: -len(self.base)].rstrip("/")

    @property
    def stem(self) -> str:
        """The last part of its name without the extension: `a.b.txt` -> `a.b`."""
        return self.base.rpartition(".")[0] or self.base

    @property
    def suffix(self) -> str:
        return self.base.rpartition(".")[2].casefold() if "." in self.base else ""


class Entry(NamedTuple):
    """What one line, or a whole file, gives for one recording, as it is written."""

    key: str
    text: str | None  # None if the file gives none, "" if it gives an empty one
    split: str | None
    number: int  # of the line, from 1; 0 where the whole file is meant


@dataclass(frozen=True)
class Reading:
    """The entries of a file, and how the file was understood."""

    entries: tuple[Entry, ...]
    code: NoteCode | None = None  # of the note; None if there is none
    note: str = ""
    bad_lines: tuple[int, ...] = ()
    piece_lines: tuple[int, ...] = ()  # with the words of a part of a recording only
    is_sidecar: bool = False

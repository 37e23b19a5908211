"""A transcript file as text, and what was read in it, before names and splits are settled."""

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
        """Its last part without the ending: `a.b.txt` -> `a.b`."""
        return self.base.rpartition(".")[0] or self.base

    @property
    def suffix(self) -> str:
        return self.base.rpartition(".")[2].casefold() if "." in self.base else ""


class Entry(NamedTuple):
    """What one line says of one recording, as it is written."""

    key: str
    text: str | None  # None where the file says nothing, "" where it says that nothing was said
    split: str | None
    number: int  # of the line, from 1; 0 where the whole file is meant


@dataclass(frozen=True)
class Reading:
    """What a file says, and how it was understood."""

    entries: tuple[Entry, ...]
    code: NoteCode | None = None  # of the note, where there is something to say
    note: str = ""
    bad_lines: tuple[int, ...] = ()
    piece_lines: tuple[int, ...] = ()  # that give the words of a part of a recording
    is_sidecar: bool = False

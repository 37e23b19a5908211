"""Finds the files nearest to the path that a claim names."""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from adaptwin_core.speech.files.sources import audio_extension
from adaptwin_core.speech.matching.target import Folder, Target, folder_of, num_shared, stem_of, without_microphone

_MAX_SEEN = 500  # files of one name; a claim on more of them is ambiguous anyway
_MAX_RANKED = 100  # of them, once those in other places are left out
_MAX_NEAREST = 16  # of them, once they are ranked
_MAX_DEPTH = 6  # of folders that have an index; deeper ones are compared one by one


class Nearness(NamedTuple):
    """How near a file is to the path that a claim names. The first field that differs decides; larger is nearer."""

    is_exact: bool  # it lies in that folder
    is_inside: bool  # it lies under the transcript file's folder
    num_last: int  # folders at the end of both paths that are the same
    num_first: int  # folders at the start of both paths that are the same


class Likeness(NamedTuple):
    """How alike two file names are. The first field that differs decides; larger is more alike."""

    is_same_name: bool  # with its extension
    is_same_stem: bool
    is_same_microphone: bool


@dataclass(frozen=True)
class NamedFile:
    """A file of the set, used or refused."""

    name: str  # its label
    is_used: bool

    @cached_property
    def folder(self) -> Folder:
        return folder_of(self.name)

    def likeness(self, target: Target) -> Likeness:
        leaf, mine, other = self.name.rpartition("/")[2], stem_of(self.name), stem_of(target.leaf)
        is_same_stem = mine in {other, target.leaf}
        return Likeness(
            leaf == target.leaf, is_same_stem, mine.casefold() in {other.casefold(), target.leaf.casefold()}
        )


class Difference(NamedTuple):
    """Where the folder that a claim names and a file's folder differ."""

    num_first: int  # components before the difference
    claimed: Folder
    found: Folder


def difference(target: Target, folder: Folder) -> Difference:
    """Return what is left of both folders without their common end, and then without their common start."""
    last = num_shared(target.folder[::-1], folder[::-1])
    claimed, found = target.folder[: len(target.folder) - last], folder[: len(folder) - last]
    first = num_shared(claimed, found)
    return Difference(first, claimed[first:], found[first:])


class NearestFiles:
    """The files of a set by stem and folder."""

    def __init__(self, audio_names: Iterable[str], refused_names: Iterable[str]) -> None:
        self._exact: dict[tuple[Folder, str], list[NamedFile]] = defaultdict(list)
        self._ending: dict[tuple[Folder, str], list[NamedFile]] = defaultdict(list)  # by the last components
        self._under: dict[tuple[Folder, str], list[NamedFile]] = defaultdict(list)  # by the first components
        self.holding: set[Folder] = set()  # folders that audio lies in, used or refused
        self.above: set[Folder] = set()  # folders that audio lies under
        for name in audio_names:
            self._add(NamedFile(name, is_used=True))
        for name in refused_names:
            self._add(NamedFile(name, is_used=False))

    def _add(self, file: NamedFile) -> None:
        folder = file.folder
        if file.is_used or audio_extension(file.name):
            self.holding.add(folder)
            self.above |= {folder[:depth] for depth in range(len(folder) + 1)}
        for stem in {stem_of(file.name).casefold(), without_microphone(stem_of(file.name)).casefold()}:
            self._exact[folder, stem].append(file)
            for depth in range(min(len(folder), _MAX_DEPTH) + 1):
                self._under[folder[:depth], stem].append(file)
                if depth:
                    self._ending[folder[-depth:], stem].append(file)

    def find(self, target: Target) -> tuple[list[NamedFile], Nearness]:
        """Return the files of the claimed name that lie nearest, all equally near; none where no file has the name."""
        if exact := self._at(self._exact, target.folder, target):
            return exact, Nearness(True, True, len(target.folder), 0)
        inside, beyond = self._ending_alike(target)
        files = (inside or self._inside(target) or beyond or self._starting_alike(target, 0))[:_MAX_RANKED]
        ranked = [(_nearness(target, file.folder), file) for file in files]
        best = max((nearness for nearness, _ in ranked), default=Nearness(False, False, 0, 0))
        return [file for nearness, file in ranked if nearness == best][:_MAX_NEAREST], best

    def _ending_alike(self, target: Target) -> tuple[list[NamedFile], list[NamedFile]]:
        """Return the files whose folders end most like the claimed one: under the transcript's, and anywhere."""
        beyond: list[NamedFile] = []
        for depth in range(min(len(target.folder), _MAX_DEPTH), 0, -1):
            files = self._at(self._ending, target.folder[-depth:], target)
            if inside := [file for file in files if _is_under(file.folder, target.home)]:
                return inside, beyond
            beyond = beyond or files
        return [], beyond

    def _inside(self, target: Target) -> list[NamedFile]:
        files = self._starting_alike(target, len(target.home))
        return [file for file in files if _is_under(file.folder, target.home)]

    def _starting_alike(self, target: Target, min_depth: int) -> list[NamedFile]:
        """Return the files whose folders start most like the claimed one."""
        start = target.home if target.is_absolute else target.folder
        for depth in range(min(len(start), _MAX_DEPTH), min(min_depth, _MAX_DEPTH) - 1, -1):
            if files := self._at(self._under, start[:depth], target):
                return files
        return []

    def _at(self, table: dict[tuple[Folder, str], list[NamedFile]], folder: Folder, target: Target) -> list[NamedFile]:
        stems = dict.fromkeys((target.leaf.casefold(), stem_of(target.leaf).casefold()))
        found = [file for stem in stems for file in itertools.islice(table.get((folder, stem), ()), _MAX_SEEN)]
        return found if len(stems) == 1 else list(dict.fromkeys(found))


def _nearness(target: Target, folder: Folder) -> Nearness:
    last = num_shared(target.folder[::-1], folder[::-1])
    return Nearness(False, _is_under(folder, target.home), last, num_shared(target.folder, folder))


def _is_under(folder: Folder, home: Folder) -> bool:
    return folder[: len(home)] == home


def equally_alike(files: Sequence[NamedFile], target: Target) -> list[NamedFile]:
    """Return those whose own names are most like the claimed one."""
    best = max(file.likeness(target) for file in files)
    return [file for file in files if file.likeness(target) == best]

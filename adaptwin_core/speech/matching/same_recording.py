"""Finds files that hold the same recording in several encodings or from several microphones. One of them is read.

Names decide, before anything is decoded. In one folder, the names differ only in their audio extension or in the number
of a microphone. In parallel folders, such as `wav/` and `mp3/`, the paths differ only in the encoding. Files with
different texts or splits are different recordings whatever their names.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

from adaptwin_core.speech.annotations import Annotation
from adaptwin_core.speech.files.sources import LOSSLESS_EXTENSIONS, audio_extension
from adaptwin_core.speech.matching.target import Folder, folder_of, stem_of, without_microphone

_MAX_DEPTH = 6  # of folders that are compared

Group = tuple[str, ...]


def groups_by_name(names: Sequence[str]) -> list[Group]:
    """Return groups of files that by their names are one recording, the best encoding first."""
    groups = _Groups()
    for together in _beside(names):
        forms = [(audio_extension(name), stem_of(name)) for name in together]
        if _all_differ(forms) and all(form for form, _ in forms):
            groups.join(together)
    for together, place in _parallel(names):
        named = [name for name in together if _names_its_form(name, place)]
        if _all_differ([audio_extension(name) for name in named]):
            groups.join(named)
    return groups.all()


def may_be_one(names: Collection[str]) -> bool:
    """Tell whether files that one claim means may be one recording: they lie in parallel folders, one named so."""
    forms = [audio_extension(name) for name in names]
    folders = {folder_of(name) for name in names}
    if not all(forms) or not _all_differ(forms) or len({len(folder) for folder in folders}) > 1:
        return False
    places = [i for i, parts in enumerate(zip(*folders, strict=True)) if len(set(parts)) > 1]
    return not places or (len(places) == 1 and any(_names_its_form(name, places[0]) for name in names))


class Versions:
    """Chooses the file of each recording to read, and the next one where that cannot be used."""

    def __init__(self, names: Sequence[str], annotations: Mapping[str, Annotation]) -> None:
        groups = _Groups()
        for group in groups_by_name(names):
            if len({annotations[name] for name in group if name in annotations}) <= 1:
                groups.join(group)
        for together, _ in _parallel(names):
            said = {annotations.get(name, Annotation()) for name in together}
            if len(said) == 1 and said.pop().text is not None and may_be_one(together):
                groups.join(together)
        self._waiting = {group[0]: list(group) for group in groups.all()}
        grouped = {name for group in self._waiting.values() for name in group}
        self.first = {name for name in names if name not in grouped} | set(self._waiting)

    def instead_of(self, unusable: Collection[str]) -> set[str]:
        """Return the next files of recordings whose last one proved unusable; none where no file is left."""
        found = set()
        for group in self._waiting.values():
            if len(group) > 1 and group[0] in unusable:
                group.pop(0)
                found.add(group[0])
        return found

    def unread(self) -> Iterator[tuple[str, str]]:
        """Yield each file that was not read, with the one that was read in its place."""
        for group in self._waiting.values():
            yield from ((name, group[0]) for name in group[1:])


class _Groups:
    def __init__(self) -> None:
        self._of: dict[str, set[str]] = {}

    def join(self, names: Sequence[str]) -> None:
        joined = set(names).union(*(self._of.get(name, ()) for name in names))
        if len(joined) > 1:
            self._of.update(dict.fromkeys(joined, joined))

    def all(self) -> list[Group]:
        distinct = {id(group): group for group in self._of.values()}
        ordered = [tuple(sorted(group, key=_preference)) for group in distinct.values()]
        return sorted(ordered)


def _preference(name: str) -> tuple[bool, str]:
    return audio_extension(name) not in LOSSLESS_EXTENSIONS, name


def _beside(names: Sequence[str]) -> Iterator[list[str]]:
    """Yield files of one folder and stem."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name in names:
        found[name.rpartition("/")[0], without_microphone(stem_of(name))].append(name)
    yield from (together for together in found.values() if len(together) > 1)


def _parallel(names: Sequence[str]) -> Iterator[tuple[list[str], int]]:
    """Yield files of one stem whose paths differ in one folder, and which folder that is."""
    found: dict[tuple[Folder, int, str], list[str]] = defaultdict(list)
    for name in names:
        folder, stem = folder_of(name), without_microphone(stem_of(name))
        for i in range(max(0, len(folder) - _MAX_DEPTH), len(folder)):
            found[(*folder[:i], "", *folder[i + 1 :]), i, stem].append(name)
    for (_, i, _), together in found.items():
        if len({folder_of(name)[i] for name in together}) > 1:
            yield together, i


def _all_differ(values: Sequence[object]) -> bool:
    return len(set(values)) == len(values)


def _names_its_form(name: str, place: int) -> bool:
    form = audio_extension(name)
    return bool(form) and form in folder_of(name)[place]

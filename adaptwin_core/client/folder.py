"""The files of a folder that are sent, named by their paths in it."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from adaptwin_core.client.errors import NothingToSend
from adaptwin_core.domain.file_names import MAX_NAME_BYTES, is_file_name
from adaptwin_core.domain.hidden_names import is_hidden


@dataclass(frozen=True)
class LocalFile:
    """A file to send: its name in the dataset, and where its bytes are."""

    name: str
    path: Path
    num_bytes: int


@dataclass(frozen=True)
class LeftOut:
    """A file or folder that cannot be sent, and why."""

    name: str
    why: str


def file_at(path: Path, name: str | None = None) -> LocalFile:
    """Return one file, under its own name or another.

    Raises:
        NothingToSend: it cannot be sent.
    """
    found = _looked_at(path, path.name if name is None else name)
    if isinstance(found, LeftOut):
        raise NothingToSend(f"{path} cannot be sent: {found.why}")
    return found


def files_in(folder: Path) -> tuple[list[LocalFile], list[LeftOut]]:
    """Return the files under a folder in the order of their names, and what cannot be sent.

    Hidden files and those of the operating system are passed over. What a link leads to is sent once. Whether a file is
    of use, the service decides: its report names each that is not.

    Raises:
        NothingToSend: there is no such folder, or no file in it.
    """
    if not folder.is_dir():
        raise NothingToSend(f"{folder} is not a folder: give one that holds speech")
    unread: list[LeftOut] = []

    def pass_by(error: OSError) -> None:
        unread.append(LeftOut(_name(Path(error.filename), folder), "the folder may not be read: change its rights"))

    found = [_looked_at(path, _name(path, folder)) for path in _walk(folder, pass_by)]
    files = sorted((one for one in found if isinstance(one, LocalFile)), key=lambda file: file.name)
    left_out = [*unread, *(one for one in found if isinstance(one, LeftOut))]
    if not files:
        told = "".join(f"; {one.name}: {one.why}" for one in left_out)
        raise NothingToSend(f"{folder} holds no file that can be sent{told}")
    return files, left_out


def _walk(folder: Path, pass_by: Callable[[OSError], None]) -> Iterator[Path]:
    """Yield every file that is not hidden, first of the folder itself, then of the folders that links lead to."""
    seen: set[Path] = set()
    waiting = [folder]
    for start in waiting:  # the list grows in the loop
        if start != folder and _real(folder).is_relative_to(_real(start)):
            continue  # a link to a folder that holds this one
        for here, folders, files in os.walk(start, onerror=pass_by):
            if _real(Path(here)) in seen:
                folders.clear()
                continue
            seen.add(_real(Path(here)))
            entries = [Path(here, name) for name in folders if not is_hidden(name)]
            waiting += sorted(entry for entry in entries if entry.is_symlink())
            folders[:] = [entry.name for entry in entries if not entry.is_symlink()]
            yield from (Path(here, name) for name in files if not is_hidden(name))


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))  # Path.resolve raises where links go in circles


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _looked_at(path: Path, name: str) -> LocalFile | LeftOut:
    """Return the file, or why it cannot be sent."""
    shown = os.fsencode(name).decode("utf-8", "replace")
    if shown != name:
        return LeftOut(shown, "its name is not UTF-8: rename it")
    if not is_file_name(name):
        why = f"its name is empty, or has control characters or more than {MAX_NAME_BYTES} bytes: rename it"
        return LeftOut(shown, why)
    if not path.is_file():
        return LeftOut(shown, "it is a broken link or no plain file: put the file itself in its place")
    if not os.access(path, os.R_OK):
        return LeftOut(shown, "it may not be read: change its rights")
    return LocalFile(name, path, path.stat().st_size)

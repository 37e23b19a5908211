"""Checks of the folders that a command is given, before anything large is loaded."""

import os
from pathlib import Path

from adaptwin_core.domain.errors import InvalidInput
from adaptwin_core.speech.files.sources import read_folder


def require_apart(speech: dict[str, Path], others: dict[str, Path]) -> None:
    """Raise InvalidInput when a folder is, or lies in, a folder of speech. Both are given by their options."""
    for option, folder in speech.items():
        where = folder.resolve()
        for other, inner in (speech | others).items():
            if other == option:
                continue
            if inner.resolve() == where:
                raise InvalidInput(f"{other} is the folder of {option}: name another")
            if inner.resolve().is_relative_to(where):
                raise InvalidInput(f"{other} lies inside the folder of {option}: name a folder outside it")


def require_files(option: str, folder: Path) -> None:
    """Raise InvalidInput when a folder of speech holds no file, or cannot be read."""
    try:
        is_empty = not read_folder(folder)
    except OSError as fault:
        raise InvalidInput(f"{option}: {folder} cannot be read ({fault.strerror}): change its permissions") from fault
    if is_empty:
        raise InvalidInput(f"{option}: {folder} holds no files: name the folder with the recordings")


def require_writable(option: str, folder: Path) -> None:
    """Raise InvalidInput when a folder cannot be made, or is empty and cannot be written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_useless = not os.access(folder, os.W_OK) and not any(folder.iterdir())
    except OSError as fault:
        raise InvalidInput(f"{option}: {folder} cannot be made ({fault.strerror}): name another folder") from fault
    if is_useless:
        raise InvalidInput(f"{option}: {folder} cannot be written to: name another folder")

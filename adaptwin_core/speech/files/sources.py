"""The files that a person gave, and their labels. A label is shown and matched, but never opened as a path."""

import os
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from adaptwin_core.domain.hidden_names import is_hidden
from adaptwin_core.speech.files.name_encoding import decoded
from adaptwin_core.speech.nfc import nfc

MAX_NAME_CHARS = 255

_LOSSLESS_EXTENSIONS = "wav wave bwf bw64 rf64 w64 flac aif aiff aifc caf au snd wv ape tta"
_LOSSY_EXTENSIONS = (
    "mp3 mp2 mpga m4a m4b m4p m4r mp4 m4v mov aac adts ac3 eac3 ogg oga ogv opus spx webm weba mka mkv wma wmv asf avi "
    "amr awb 3gp 3gpp 3ga 3g2 ra rm dss ds2 sph gsm alac mpg mpeg vox"
)
LOSSLESS_EXTENSIONS = frozenset(_LOSSLESS_EXTENSIONS.split())
AUDIO_EXTENSIONS = LOSSLESS_EXTENSIONS | frozenset(
    _LOSSY_EXTENSIONS.split()
)  # also those that are not read: a text may belong to such a file

_DRIVE_OR_SCHEME = re.compile(r"(?://\?/)?(?:[A-Za-z]:(?=/|$)|[A-Za-z][A-Za-z0-9+.-]*:(?=//))")


@dataclass(frozen=True)
class SourceFile:
    """One file to read: its name as the person gave it, and the path of its bytes."""

    name: str
    path: Path


def label(name: str) -> str:
    """Return `name` as a relative posix-style label: no drive, root, `..` or control characters, in NFC."""
    text = nfc(name.encode("utf-8", "replace").decode())
    text = "".join(c for c in text.replace("\\", "/") if unicodedata.category(c) not in {"Cc", "Cf"})
    start = _DRIVE_OR_SCHEME.match(text)
    parts = [part for part in text[start.end() if start else 0 :].split("/") if part not in {"", ".", ".."}]
    return "/".join(parts)[-MAX_NAME_CHARS:].lstrip("/") or "unnamed"


def audio_stem(name: str) -> str:
    """Return a name without its extension, where that is one of audio files: `a.WAV` -> `a`, `take.7` stays."""
    before, _, last = name.rpartition(".")
    return before if before and last.casefold() in AUDIO_EXTENSIONS else name


def audio_extension(name: str) -> str:
    """Return the extension of an audio file in small letters, or "" where there is none."""
    return name[len(audio_stem(name)) + 1 :].casefold()


def base(name: str) -> str:
    """Return the last component of a label."""
    return PurePosixPath(name).name


def read_folder(path: Path) -> list[SourceFile]:
    """Return everything that lies under `path`, named relative to it, sorted.

    A link to a file stands for that file, and a link to a folder for the files in it, once. What stands for no readable
    file is listed itself: a hidden folder, a broken link, a link to a folder that is listed already or holds this one.

    Raises:
        NotADirectoryError: `path` is not a folder.
    """
    if not path.is_dir():
        raise NotADirectoryError(f"{path} is not a folder")
    folders, files = _walk(path)
    linked = {_real(file) for file in files if file.is_symlink()}
    # In a store of files named by their hashes, only the links to them are read.
    files = [file for file in files if file.is_symlink() or file.suffix or _real(file) not in linked]
    names = decoded([os.fsencode(found.relative_to(path)) for found in folders + files])
    return sorted((SourceFile(*found) for found in zip(names, folders + files, strict=True)), key=lambda s: s.name)


def _walk(path: Path) -> tuple[list[Path], list[Path]]:
    """Return the folders under `path` that were not walked, and the files."""
    passed: list[Path] = []
    found: list[Path] = []

    def pass_by(error: OSError) -> None:
        passed.append(Path(error.filename))

    seen: set[Path] = set()
    waiting = [path]
    for (
        folder
    ) in waiting:  # the list grows in the loop: first the folder itself, then the folders that links in it lead to
        if _real(folder) in seen or (folder != path and _real(path).is_relative_to(_real(folder))):
            passed.append(folder)
            continue
        for here, folders, files in os.walk(folder, onerror=pass_by):
            seen.add(_real(Path(here)))
            entries = [Path(here, name) for name in folders]
            passed += [entry for entry in entries if is_hidden(entry.name)]
            waiting += [entry for entry in entries if entry.is_symlink() and not is_hidden(entry.name)]
            left = [e.name for e in entries if not (e.is_symlink() or is_hidden(e.name) or _real(e) in seen)]
            folders[:] = left
            found += [Path(here, name) for name in files]
    return passed, found


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))  # Path.resolve raises where links go in circles

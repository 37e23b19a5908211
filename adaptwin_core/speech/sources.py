"""The files a person gave, and the names they go by. A name is a label: it is shown and matched, never opened."""

import os
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from adaptwin_core.speech.name_encoding import decoded

MAX_NAME_CHARS = 255

LOSSLESS_EXTENSIONS = frozenset("wav wave bwf bw64 rf64 w64 flac aif aiff aifc caf au snd wv ape tta".split())
AUDIO_EXTENSIONS = LOSSLESS_EXTENSIONS | frozenset(  # of sound and film, read or not: a refused file keeps its text
    "mp3 mp2 mpga m4a m4b m4p m4r mp4 m4v mov aac adts ac3 eac3 ogg oga ogv opus spx webm weba mka mkv wma wmv asf avi "
    "amr awb 3gp 3gpp 3ga 3g2 ra rm dss ds2 sph gsm alac mpg mpeg vox".split()
)

_DRIVE_OR_SCHEME = re.compile(r"(?://\?/)?(?:[A-Za-z]:(?=/|$)|[A-Za-z][A-Za-z0-9+.-]*:(?=//))")
_SYSTEM_NAMES = frozenset(
    {"__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "@eadir", "#recycle"}
    | {"system volume information"}
)


@dataclass(frozen=True)
class SourceFile:
    """One file to read: what the person calls it, and where its bytes are."""

    name: str
    path: Path


def label(name: str) -> str:
    """Return `name` as a relative posix-style label: no drive, root, `..` or control characters, in NFC."""
    text = unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode())
    text = "".join(c for c in text.replace("\\", "/") if unicodedata.category(c) not in {"Cc", "Cf"})
    start = _DRIVE_OR_SCHEME.match(text)
    parts = [part for part in text[start.end() if start else 0 :].split("/") if part not in {"", ".", ".."}]
    return "/".join(parts)[-MAX_NAME_CHARS:].lstrip("/") or "unnamed"


def stem(name: str) -> str:
    """Return a label without its last extension: `a/b.wav` -> `a/b`."""
    return str(PurePosixPath(name).with_suffix(""))


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


def is_hidden(name: str) -> bool:
    """Tell whether a component is hidden or a system's own: such files are nobody's speech.

    One dot hides a file. More are an ellipsis, as in `...and then.wav`.
    """
    return any(
        (part.startswith(".") and not part.startswith("..")) or part.casefold() in _SYSTEM_NAMES
        for part in name.split("/")
    )


def read_folder(path: Path) -> list[SourceFile]:
    """Return everything that lies under `path`, named relative to it, sorted.

    A link to a file stands for that file, and a link to a folder for the files in it, once. What stands for no readable
    file is listed itself: a hidden folder, a broken link, a link to a folder that is listed already or holds this one.

    Raises:
        NotADirectoryError: `path` is not a folder.
    """
    if not path.is_dir():
        raise NotADirectoryError(f"{path} is not a folder")
    found: list[Path] = []
    linked: list[Path] = []
    seen: set[Path] = set()
    waiting = [path]
    for folder in waiting:  # grows while it is walked: the folder itself first, then what links lead to
        real = folder.resolve()
        if real in seen or (folder != path and path.resolve().is_relative_to(real)):
            found.append(folder)
            continue
        for here, folders, files in os.walk(folder, onerror=lambda error: found.append(Path(error.filename))):
            seen.add(Path(here).resolve())
            entries = [Path(here, name) for name in folders]
            hidden = [entry for entry in entries if is_hidden(entry.name)]
            links = [entry for entry in entries if entry.is_symlink() and entry not in hidden]
            folders[:] = [e.name for e in entries if e not in hidden and e not in links and e.resolve() not in seen]
            found += hidden
            waiting += links
            for name in files:
                (linked if Path(here, name).is_symlink() else found).append(Path(here, name))
    targets = {link.resolve() for link in linked}
    found = [file for file in found if file.suffix or file.resolve() not in targets]  # a store of files under hashes
    found += linked
    names = decoded([os.fsencode(file.relative_to(path)) for file in found])
    return sorted((SourceFile(name, file) for name, file in zip(names, found, strict=True)), key=lambda s: s.name)

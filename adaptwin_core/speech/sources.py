"""The files a person gave, and the names they go by. A name is a label: it is shown and matched, never opened."""

import unicodedata
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

MAX_NAME_CHARS = 255


@dataclass(frozen=True)
class SourceFile:
    """One file to read: what the person calls it, and where its bytes are."""

    name: str
    path: Path


def label(name: str) -> str:
    """Return `name` as a relative posix-style label: no drive, root, `..` or control characters, in NFC."""
    text = unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode())
    text = "".join(c for c in text.replace("\\", "/") if unicodedata.category(c) not in {"Cc", "Cf"})
    parts = [part for part in text.split("/") if part not in {"", ".", ".."} and not part.endswith(":")]
    return "/".join(parts)[-MAX_NAME_CHARS:].lstrip("/") or "unnamed"


def stem(name: str) -> str:
    """Return a label without its last extension: `a/b.wav` -> `a/b`."""
    return str(PurePosixPath(name).with_suffix(""))


def base(name: str) -> str:
    """Return the last component of a label."""
    return PurePosixPath(name).name


def is_hidden(name: str) -> bool:
    """Tell whether any component starts with a dot, or is macOS's shadow folder: such files are nobody's speech."""
    return any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))


def read_folder(path: Path) -> list[SourceFile]:
    """Return every plain file under `path`, named relative to it, sorted. Links are not followed.

    Raises:
        NotADirectoryError: `path` is not a folder.
    """
    if not path.is_dir():
        raise NotADirectoryError(f"{path} is not a folder")
    files = (
        SourceFile(file.relative_to(path).as_posix(), file)
        for file in path.rglob("*")  # rglob does not descend into linked folders
        if file.is_file() and not file.is_symlink()
    )
    return sorted((f for f in files if not is_hidden(f.name)), key=lambda f: f.name)

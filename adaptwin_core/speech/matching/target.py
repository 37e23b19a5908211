"""The path that a claim names, as seen from this set."""

import posixpath
import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from adaptwin_core.speech.annotations import Claim
from adaptwin_core.speech.files.sources import audio_stem, label

Folder = tuple[str, ...]  # its components, case folded

_ABSOLUTE = re.compile(r"/|[A-Za-z]:(/|$)|[A-Za-z][A-Za-z0-9+.-]*://")
_MICROPHONE = re.compile(r"(.+)_mic\d", re.IGNORECASE)


@dataclass(frozen=True)
class Target:
    """The path a claim names, and where the claim was found."""

    home: Folder  # of the transcript file
    folder: Folder
    num_real: int  # leading parts of `folder` that are folders of this set; a table alone names the others
    leaf: str
    is_absolute: bool  # a path of another machine, or a URL

    @property
    def key_folder(self) -> Folder:
        """The folder as the table wrote it."""
        return self.folder[self.num_real :]


def target_of(claim: Claim) -> Target:
    """Return the path of a claim's key. A relative one starts at the folder of the transcript file."""
    key = _path_of_url(claim.key).replace("\\", "/")
    home = folder_of(f"{claim.folder}/x") if claim.folder else ()
    if _ABSOLUTE.match(key) or label(key) == "unnamed":
        path = label(key)
        return Target(home, folder_of(path), 0, path.rpartition("/")[2], is_absolute=True)
    path = label(posixpath.normpath(f"{claim.folder}/{key}" if claim.folder else key))
    folder = folder_of(path)
    return Target(home, folder, num_shared(home, folder), path.rpartition("/")[2], is_absolute=False)


def folder_of(name: str) -> Folder:
    """Return the folder of a label."""
    return tuple(name.casefold().split("/")[:-1])


def stem_of(name: str) -> str:
    """Return the last component of a label without the extension of an audio file."""
    return audio_stem(name.rpartition("/")[2])


def without_microphone(stem: str) -> str:
    """Return a stem without the microphone's number: `p225_001_mic2` -> `p225_001`."""
    found = _MICROPHONE.fullmatch(stem)
    return found[1] if found else stem


def num_shared(a: Folder, b: Folder) -> int:
    """Return how many leading components two folders share."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _path_of_url(key: str) -> str:
    scheme, separator, _ = key.partition("://")
    if not separator or not scheme.isalnum():
        return key
    try:
        parts = urlsplit(key)
    except ValueError:
        return key
    path = parts.path if parts.query or scheme.casefold() in {"http", "https"} else key.partition("://")[2]
    return f"{scheme}://{unquote(path)}"

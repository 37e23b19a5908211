"""Names of files that a service tells, as paths in a folder of this machine."""

import re
from pathlib import Path

from adaptwin_core.client.errors import DamagedDownload

_UNSAFE = re.compile(r"[\x00-\x1f\x7f\\:]")  # `\` and `:` lead elsewhere on Windows


def path_in(folder: Path, name: str) -> Path:
    """Return where a file of this name lies in a folder.

    Raises:
        DamagedDownload: the name leads out of the folder, by itself or by a link that lies there.
    """
    path = folder / name
    has_odd_part = any(part in {"", ".", ".."} for part in name.split("/"))
    if has_odd_part or _UNSAFE.search(name) or not path.resolve().is_relative_to(folder.resolve()):
        raise DamagedDownload(f"a file is named {name!r}, which leads out of {folder}: nothing was written")
    return path

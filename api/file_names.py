"""What a file may be called. A name is shown and matched with texts, and never used as a path."""

import re

from adaptwin_core.domain.errors import InvalidInput

MAX_NAME_BYTES = 1024
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def checked_file_name(name: str) -> str:
    """Return the name. Raises InvalidInput when it is empty, too long or holds control characters."""
    if not 0 < len(name.encode()) <= MAX_NAME_BYTES or _CONTROL.search(name):
        raise InvalidInput(f"give a filename of 1 to {MAX_NAME_BYTES} bytes without control characters")
    return name

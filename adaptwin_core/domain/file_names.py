"""What a file may be called. A name is shown and matched with texts, and never used as a path."""

import re

MAX_NAME_BYTES = 1024
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def is_file_name(name: str) -> bool:
    """Tell whether a name has 1 to `MAX_NAME_BYTES` bytes of UTF-8 and no control character."""
    return 0 < len(name.encode()) <= MAX_NAME_BYTES and not _CONTROL.search(name)

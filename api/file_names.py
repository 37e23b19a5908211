"""Refuses what a file may not be called."""

from adaptwin_core.domain.errors import InvalidInput
from adaptwin_core.domain.file_names import MAX_NAME_BYTES, is_file_name


def checked_file_name(name: str) -> str:
    """Return the name. Raises InvalidInput when it is empty, too long or holds control characters."""
    if not is_file_name(name):
        raise InvalidInput(f"give a filename of 1 to {MAX_NAME_BYTES} bytes without control characters")
    return name

"""Conditional and partial downloads (RFC 9110 §13 and §14) of files whose ETag is their SHA-256."""

import re

from adaptwin_core.domain.errors import InvalidInput

_RANGE = re.compile(r"bytes=\s*(\d{0,19})\s*-\s*(\d{0,19})\s*", re.ASCII)


def etag_of(sha256: str) -> str:
    """Return the strong entity tag of a file."""
    return f'"{sha256}"'


def is_known(if_none_match: str | None, etag: str) -> bool:
    """Tell whether the client already has exactly these bytes."""
    if if_none_match is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return etag in tags or "*" in tags


def part_of(header: str | None, if_range: str | None, etag: str, num_bytes: int) -> range | None:
    """Return which bytes to send, or None for all of them.

    Several ranges, other units and malformed headers are answered with the whole file, as the RFC allows; so is an
    If-Range that names anything but these bytes.

    Raises:
        InvalidInput: with code "range_not_satisfiable", the range lies past the end.
    """
    match = _RANGE.fullmatch(header or "")
    if match is None or match.groups() == ("", "") or (if_range is not None and if_range.strip() != etag):
        return None
    first, last = match.groups()
    if first == "":
        start, stop = max(num_bytes - int(last), 0), num_bytes
    else:
        start, stop = int(first), min(int(last) + 1, num_bytes) if last else num_bytes
        if last and int(last) < int(first):
            return None
    if start >= stop:
        raise InvalidInput(
            f"the file has only {num_bytes} bytes: ask for a range within it", code="range_not_satisfiable"
        )
    return range(start, stop)

"""Identifiers: a prefix that says what the thing is, and a ULID, so ids sort by time of birth."""

from typing import Literal

from ulid import ULID

IdPrefix = Literal["ten", "key", "up", "ds", "job", "task", "mdl", "msg"]


def new_id(prefix: IdPrefix) -> str:
    """Return e.g. `job_01jd…` (lower case, 26 ULID characters after the prefix)."""
    return f"{prefix}_{str(ULID()).lower()}"

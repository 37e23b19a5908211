"""Identifiers: a prefix for the kind of thing, and a ULID, so that ids sort by the time when they were made."""

from typing import Literal

from ulid import ULID

IdPrefix = Literal["ten", "key", "up", "ds", "job", "task", "mdl", "msg", "tr", "wh", "evt", "dlv"]


def new_id(prefix: IdPrefix) -> str:
    """Return e.g. `job_01jd…` (lower case, 26 ULID characters after the prefix)."""
    return f"{prefix}_{str(ULID()).lower()}"

"""What one check found."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """`NOTE`: it is not there, and most people do without it."""

    OK = "ok"
    NOTE = "note"
    MISSING = "missing"


@dataclass(frozen=True)
class Finding:
    """The subject, how it stands, what was found as a sentence, and how to get what is missing."""

    subject: str
    state: State
    found: str
    remedy: str | None = None

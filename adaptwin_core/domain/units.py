"""The unit that errors are counted in: words or, in languages without spaces, characters."""

from enum import StrEnum

_UNSPACED = frozenset({"zh", "yue", "ja", "th", "lo", "my", "km", "bo"})  # written without spaces between words


class Unit(StrEnum):
    """The unit of an error rate."""

    WORD = "word"
    CHARACTER = "character"

    @property
    def plural(self) -> str:
        return f"{self}s"

    @property
    def rate(self) -> str:
        return f"{self} error rate"


def unit_of(language: str) -> Unit:
    """Return the unit for a language, which is given by Whisper's code."""
    return Unit.CHARACTER if language in _UNSPACED else Unit.WORD

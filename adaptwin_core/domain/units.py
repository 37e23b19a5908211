"""The unit in which errors are counted: words or, where no spaces separate them, characters."""

from enum import StrEnum

_UNSPACED = frozenset({"zh", "yue", "ja", "th", "lo", "my", "km", "bo"})  # written without spaces between words


class Unit(StrEnum):
    """Words or characters."""

    WORD = "word"
    CHARACTER = "character"

    @property
    def plural(self) -> str:
        return f"{self}s"

    @property
    def rate(self) -> str:
        return f"{self} error rate"


def unit_of(language: str) -> Unit:
    """Return the unit of a language, given by its Whisper code."""
    return Unit.CHARACTER if language in _UNSPACED else Unit.WORD

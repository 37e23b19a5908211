"""What errors are counted in: words or, where no spaces part them, characters."""

from enum import StrEnum

_UNSPACED = frozenset({"zh", "yue", "ja", "th", "lo", "my", "km", "bo"})  # written without spaces between words


class Unit(StrEnum):
    """What errors are counted in."""

    WORD = "word"
    CHARACTER = "character"

    @property
    def plural(self) -> str:
        return f"{self}s"

    @property
    def rate(self) -> str:
        return f"{self} error rate"


def unit_of(language: str) -> Unit:
    """Return what a language, given by its Whisper code, is judged by: characters where no spaces part its words."""
    return Unit.CHARACTER if language in _UNSPACED else Unit.WORD

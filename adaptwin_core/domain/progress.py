"""The call by which long work reports its progress."""

from typing import Protocol


class Progress(Protocol):
    """Called while work goes on. It may raise to stop the work."""

    def __call__(self, done: int, total: int, /, **figures: float) -> None:
        """Report how much of `total` is done, with figures to show, such as a loss."""


def no_progress(_done: int, _total: int, /, **_figures: float) -> None:
    """Report to nobody."""

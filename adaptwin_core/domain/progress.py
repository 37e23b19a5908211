"""How a long piece of work tells how far it is."""

from typing import Protocol


class Progress(Protocol):
    """Called as work goes on; may raise to stop it."""

    def __call__(self, done: int, total: int, /, **figures: float) -> None:
        """Tell what is done of all there is to do, with figures worth showing, such as a loss."""


def silent(_done: int, _total: int, /, **_figures: float) -> None:
    """Progress that nobody watches."""

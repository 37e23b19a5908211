"""One bar for the whole of a command, with the time left. It appears after two seconds."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Timer
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

PATIENCE_S: Final = 2.0  # what takes less needs no bar
EVERY_S: Final = 30.0  # between lines, where there is no terminal
STEPS: Final = 1000  # of a bar
LEAST_SHARE: Final = 0.02  # less says nothing of the time left


class WholeBar:
    """Tells how far a command has come: the share that is done, the time left, and a note."""

    def __init__(self, title: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._title, self._clock = title, clock
        self._first: tuple[float, float] | None = None  # the share that was there at first, and when

    def at(self, share: float, note: str = "", *, left_s: float | None = None) -> None:
        """Show a share from 0 to 1. The time left follows from how fast it grew, unless it is known."""
        now = self._clock()
        if self._first is None:
            self._first = share, now
        self._show(share, note, self._left_s(share, now) if left_s is None else left_s)

    def wait(self, note: str) -> None:
        """Show that something is waited for that does not tell how far it is."""
        self._show(None, note, None)

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        raise NotImplementedError

    def _show(self, share: float | None, note: str, left_s: float | None) -> None:
        raise NotImplementedError

    def _left_s(self, share: float, now: float) -> float | None:
        assert self._first is not None
        first_share, since = self._first
        grown = share - first_share
        return (now - since) * (1 - share) / grown if grown >= LEAST_SHARE else None


class Lines(WholeBar):
    """A line every so often."""

    def __init__(self, title: str, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(title, clock)
        self._console, self._said_at = console, clock()

    def say(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def _show(self, share: float | None, note: str, left_s: float | None) -> None:
        if self._clock() - self._said_at < EVERY_S:
            return
        self._said_at = self._clock()
        told = [note, *([] if share is None else [f"{100 * share:.0f} %"]), time_left(left_s)]
        self.say(f"{self._title}: {', '.join(filter(None, told))}")


class Bar(WholeBar):
    """A bar of rich."""

    def __init__(self, title: str, bars: Progress) -> None:
        super().__init__(title)
        self._bars = bars
        self._task = bars.add_task(title, total=None, note="", left="")

    def say(self, line: str) -> None:
        self._bars.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def _show(self, share: float | None, note: str, left_s: float | None) -> None:
        total = None if share is None else STEPS
        done = 0 if share is None else round(STEPS * share)
        self._bars.reset(self._task, total=total, completed=done, note=note, left=time_left(left_s))


@contextmanager
def whole_bar(title: str, console: Console | None = None) -> Iterator[WholeBar]:
    """Give a bar on a terminal, and lines anywhere else: on standard error, if no console is given."""
    console = console or Console(stderr=True)
    if not console.is_terminal or console.is_dumb_terminal:
        yield Lines(title, console)
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[left]}"),
        TextColumn("{task.fields[note]}", style="dim", markup=False),
    )
    bars = Progress(*columns, console=console, transient=True)
    timer = Timer(PATIENCE_S, bars.start)
    timer.daemon = True
    timer.start()
    try:
        yield Bar(title, bars)
    finally:
        timer.cancel()
        timer.join()
        bars.stop()


def time_left(seconds: float | None) -> str:
    """Return a time as a person says it, such as 3 min left."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{max(1, round(seconds))} s left"
    if seconds < 3600:
        return f"{round(seconds / 60)} min left"
    return f"{seconds / 3600:.1f} h left"

"""Shows how far a job is: as bars on a terminal, as plain lines anywhere else."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from adaptwin_core.cli.summary import count_of, speech_summary
from adaptwin_core.domain.admission import Remark
from adaptwin_core.domain.dataset_report import DatasetReport
from adaptwin_core.domain.task_keys import SpeechKind
from adaptwin_core.ml.stages.watcher import Watcher

EVERY_S: Final = 30.0  # between the lines of a long step
UNITS: Final = {"personalize": "step", "calibrate": "window", "factorize": "step", "tune": "step", "evaluate": "clip"}


class ProgressLines(Watcher):
    """Prints one line when a step ends, and one every so often during a long step."""

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self.say, self._clock = say, clock
        self._step, self._total = "", 0
        self._said_at = 0.0

    def show(self, step: str, done: int, total: int) -> None:
        if step != self._step:
            self._step, self._said_at = step, self._clock()
        self._total = total
        if done < total and self._clock() - self._said_at >= EVERY_S:
            self._said_at = self._clock()
            self.say(f"{step}: {done} of {total}")

    def ended(self, step: str, seconds: float) -> None:
        unit = UNITS.get(step.split(" ", maxsplit=1)[0])
        what = f"{count_of(self._total, unit)}, " if unit and step == self._step else ""
        if not step.startswith("read"):  # the summary of the speech follows instead
            self.say(f"{step}: {what}{seconds:.0f} s")

    def found(self, kind: SpeechKind, report: DatasetReport) -> None:
        for line in speech_summary(f"{kind} speech", report):
            self.say(line)

    def admitted(self, remarks: Sequence[Remark]) -> None:
        for remark in remarks:
            self.say(remark.message)


class ProgressBars(ProgressLines):
    """Draws a bar for each step, with other lines above the bars."""

    def __init__(self, bars: Progress) -> None:
        super().__init__(lambda line: bars.console.print(line, markup=False, highlight=False, soft_wrap=True))
        self._bars = bars
        self._tasks: dict[str, int] = {}

    def show(self, step: str, done: int, total: int) -> None:
        if step not in self._tasks:
            self._tasks[step] = self._bars.add_task(step, total=total)
        self._bars.update(self._tasks[step], completed=done, total=total)  # type: ignore[arg-type]

    def ended(self, step: str, seconds: float) -> None:
        """Print nothing, since the bar shows it."""


@contextmanager
def progress_display() -> Iterator[ProgressLines]:
    """Give bars if the output is a terminal, and lines otherwise."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # file names may not fit the terminal's encoding
    console = Console()
    if not sys.stdout.isatty() or console.is_dumb_terminal:
        yield ProgressLines(lambda line: print(line, flush=True))
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<28}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as bars:
        yield ProgressBars(bars)

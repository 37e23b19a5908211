"""Shows how far a job of this process is: as one bar on a terminal, as plain lines anywhere else."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from rich.console import Console

from adaptwin_core.cli.stage_shares import STAGE_SHARES, share_before
from adaptwin_core.cli.summary import count_of, speech_summary
from adaptwin_core.cli.whole_bar import WholeBar, whole_bar
from adaptwin_core.domain.admission import Remark
from adaptwin_core.domain.dataset_report import DatasetReport
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.task_keys import SpeechKind
from adaptwin_core.ml.stages.watcher import Watcher

EVERY_S: Final = 30.0  # between the lines of a long step
READ: Final = "read"  # how steps begin that read speech
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
        if not step.startswith(READ):  # the summary of the speech follows instead
            self.say(f"{step}: {what}{seconds:.0f} s")

    def found(self, kind: SpeechKind, report: DatasetReport) -> None:
        for line in speech_summary(f"{kind} speech", report):
            self.say(line)

    def admitted(self, remarks: Sequence[Remark]) -> None:
        for remark in remarks:
            self.say(remark.message)


class ProgressBar(ProgressLines):
    """Draws one bar for the whole job, with other lines above it."""

    def __init__(self, bar: WholeBar) -> None:
        super().__init__(bar.say)
        self._bar = bar
        self._stage: Stage | None = None
        self._num_tasks, self._num_ended = 1, 0

    def begun(self, stage: Stage, num_tasks: int) -> None:
        self._stage, self._num_tasks, self._num_ended = stage, max(num_tasks, 1), 0
        self._bar.at(share_before(stage), stage)

    def show(self, step: str, done: int, total: int) -> None:
        note = f"{step}, {done:,} of {total:,}"
        if self._stage is None and step.startswith(READ):
            self._bar.wait(note)  # how long the job takes shows once it has begun
            return
        share = done / total if total else 0.0
        if self._stage is not None:
            of_stage = min(1.0, (self._num_ended + share) / self._num_tasks)
            share = share_before(self._stage) + STAGE_SHARES[self._stage] * of_stage
        self._bar.at(share, note)

    def ended(self, step: str, seconds: float) -> None:  # noqa: ARG002  # as the watcher has it
        """Count the step, and print nothing: the bar shows it."""
        self._num_ended += 1


@contextmanager
def progress_display() -> Iterator[ProgressLines]:
    """Give a bar if the output is a terminal, and lines otherwise."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # file names may not fit the terminal's encoding
    console = Console()
    if not sys.stdout.isatty() or console.is_dumb_terminal:
        yield ProgressLines(lambda line: print(line, flush=True))
        return
    with whole_bar("", console) as bar:
        yield ProgressBar(bar)

"""Who is told how far a job in this process has come. It imports nothing heavy, so a command can make one at once."""

from collections.abc import Sequence

from adaptwin_core.domain.admission import Remark
from adaptwin_core.domain.dataset_report import DatasetReport
from adaptwin_core.domain.progress import Progress
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.task_keys import SpeechKind


class Watcher:
    """Is told of a job and shows nothing. Commands show it."""

    def progress_of(self, step: str) -> Progress:
        """Return what shows the progress of one step."""

        def progress(done: int, total: int, /, **_figures: float) -> None:
            self.show(step, done, total)

        return progress

    def begun(self, stage: Stage, num_tasks: int) -> None:
        """Take note that a stage begins, and of how many steps it has. Those that are done already are not told."""

    def show(self, step: str, done: int, total: int) -> None:
        """Take note of what is done of a step, and of how much there is to do."""

    def ended(self, step: str, seconds: float) -> None:
        """Take note that a step is done."""

    def found(self, kind: SpeechKind, report: DatasetReport) -> None:
        """Take note of what was found in one kind of speech."""

    def admitted(self, remarks: Sequence[Remark]) -> None:
        """Take note that the job begins, and of what a person should know of it."""

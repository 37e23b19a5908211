"""Who is told how far a recipe is. It loads nothing heavy: a door builds its own before torch is there."""

from collections.abc import Sequence

from adaptwin_core.domain.admission import Remark
from adaptwin_core.domain.dataset_report import DatasetReport


class Watcher:
    """Watches a recipe and says nothing; doors say more."""

    def show(self, step: str, done: int, total: int) -> None:
        """Hear what is done of a step, and how much that will be."""

    def ended(self, step: str, seconds: float) -> None:
        """Hear that a step is done."""

    def found(self, kind: str, report: DatasetReport) -> None:
        """Hear what was found in one kind of speech, speaker or general."""

    def admitted(self, remarks: Sequence[Remark]) -> None:
        """Hear that the job begins, and what a person should know of it."""

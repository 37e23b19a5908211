"""The owner of a task: a dataset, job, export or transcription, which is told what happens to its task."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from adaptwin_core.domain.stages import Stage

ErrorDict = dict[str, Any]  # {"code", "message"}


@dataclass(frozen=True)
class Claim:
    """A held lease. `attempt` is the fencing token."""

    task_id: str
    attempt: int
    stage: Stage
    key: str
    job_id: str | None
    dataset_id: str | None  # of an ingest task, which has no job
    transcription_id: str | None
    tenant_id: str


class Outcome(Protocol):
    """What a worker hands over when it has done a task."""

    @property
    def result_key(self) -> str | None:
        """The name of the result, under which a task of equal inputs finds it; None where results are not shared."""
        ...

    @property
    def worked_s(self) -> float | None:
        """How long a worker worked at a task whose time is estimated; None where it took a kept result."""
        ...


OutcomeT_contra = TypeVar("OutcomeT_contra", bound=Outcome, contravariant=True)


class OwnedTask(Protocol[OutcomeT_contra]):
    """A task, with what its owner does when something happens to it.

    The owner's row is locked from the making of this until the transaction ends. The task's row is locked after it.
    """

    @property
    def tenant_id(self) -> str: ...

    def may_start(self) -> bool:
        """Tell whether the owner still wants the task done."""
        ...

    def started(self) -> None:
        """Note that a worker holds the task now."""
        ...

    def expected_s(self) -> float | None:
        """Return how long the task was expected to take; None where that is not estimated."""
        ...

    def progressed(self, progress: Mapping[str, Any]) -> None:
        """Tell people how far the task is."""
        ...

    def warn(self, message: str, **data: Any) -> None:
        """Tell people of a problem that does not end the task. `message` follows the task's name."""
        ...

    def done(self, outcome: OutcomeT_contra) -> None:
        """Keep the outcome, and begin what follows. Raises LeaseLost if nobody wants it any more."""
        ...

    def failed(self, error: ErrorDict) -> None:
        """Note that the task failed for good."""
        ...


class OnlyItsEnd:
    """What an `OwnedTask` does before its end, where people are told of its end alone and its time is not estimated."""

    def started(self) -> None:
        pass

    def expected_s(self) -> None:
        pass

    def progressed(self, progress: Mapping[str, Any]) -> None:
        pass

    def warn(self, message: str, **data: Any) -> None:
        pass

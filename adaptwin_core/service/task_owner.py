"""What tasks belong to, as the leases see it: a dataset, a job or an export hears what becomes of its task."""

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
    tenant_id: str


class Outcome(Protocol):
    """What a worker hands over with a task that it has done."""

    @property
    def result_key(self) -> str | None:
        """The name under which the work is kept for equal inputs, if it is."""
        ...


OutcomeT_contra = TypeVar("OutcomeT_contra", bound=Outcome, contravariant=True)


class OwnedTask(Protocol[OutcomeT_contra]):
    """A task as its owner sees it.

    The owner's row was locked when this was made and stays so until the transaction ends: always before the task's.
    """

    @property
    def tenant_id(self) -> str: ...

    def may_start(self) -> bool:
        """Tell whether the owner still wants the task done."""
        ...

    def started(self) -> None:
        """Hear that a worker holds the task now."""
        ...

    def warn(self, message: str, **data: Any) -> None:
        """Tell people of a mishap after which the task goes on."""
        ...

    def done(self, outcome: OutcomeT_contra) -> None:
        """Take what was made, and go on. Raises LeaseLost where it is no longer wanted."""
        ...

    def failed(self, error: ErrorDict) -> None:
        """Hear that the task was given up."""
        ...

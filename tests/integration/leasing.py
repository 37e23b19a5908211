"""A worker's words about one task: taken, done, failed."""

from adaptwin_core.service import results
from adaptwin_core.service.job_tasks import StageOutcome
from adaptwin_core.service.task_owner import Claim
from tests.service_under_test import service, unit_of_work

MADE = results.Made({}, {})


def claim(task_id: str, owner: str = "a") -> Claim | None:
    with unit_of_work() as session:
        return service().tasks.claim(session, task_id, owner)


def complete(held: Claim, made: results.Made = MADE) -> None:
    with unit_of_work() as session:
        service().tasks.complete(session, held, StageOutcome(f"result of {held.task_id}", made))


def fail(held: Claim, *, retryable: bool) -> None:
    with unit_of_work() as session:
        service().tasks.fail(session, held, {"code": "some_code", "message": "it broke"}, retryable=retryable)

"""How long the tasks of all tenants took lately. Only numbers come out, which hold nothing of a person."""

from collections.abc import Collection

from sqlalchemy import select, union_all
from sqlalchemy.orm import Session

from adaptwin_core.domain.stages import Stage
from adaptwin_core.store.tables import Task


def recent(
    session: Session, stages: Collection[Stage], *, num_each: int, least_s: float
) -> list[tuple[Stage, float, float]]:
    """Return (stage, seconds worked, seconds expected) of the newest tasks of each stage whose workers did the work.

    Args:
        least_s: leaves out the tasks that were expected to take less.
    """
    newest = (
        select(Task.stage, Task.worked_s, Task.expected_s)
        .where(Task.stage == stage, Task.worked_s.is_not(None), Task.expected_s >= least_s)
        .order_by(Task.finished_at.desc())
        .limit(num_each)
        .subquery()
        for stage in stages
    )
    rows = session.execute(union_all(*(select(found) for found in newest)))
    return [(Stage(stage), worked_s, expected_s) for stage, worked_s, expected_s in rows]

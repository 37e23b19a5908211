"""The chores of a job: the tasks of all its models, those of equal inputs together, because they are done once."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from adaptwin_core.domain.estimate import task_seconds
from adaptwin_core.domain.stage_table import JOB_STAGES, row_of
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.task_keys import TaskKey
from adaptwin_core.domain.work import JobWork


class Place(NamedTuple):
    """A task of one of the models: the model's index, the stage, and the written form of the task's key."""

    model: int
    stage: Stage
    key: str


@dataclass(frozen=True)
class Chore:
    """What a worker does once, and the tasks that are done with it."""

    stage: Stage
    seconds: float  # by the rates of estimate.py
    places: tuple[Place, ...]


@lru_cache(maxsize=256)
def chores_of(*models: JobWork) -> tuple[Chore, ...]:
    """Return the chores of a job in the order of the stages.

    Two tasks are one chore where they are of the same base model and see the same settings, and all that they read is
    the same. So what `result_name.py` tells by content is told here before there is any.
    """
    work: dict[object, float] = {}
    places: dict[object, list[Place]] = {}
    stage_of: dict[object, Stage] = {}
    ids: dict[object, int] = {}  # a short name of each long one
    made: list[dict[Stage, frozenset[int]]] = [{} for _ in models]
    for stage in JOB_STAGES:
        named: list[set[int]] = [set() for _ in models]
        for index, model in enumerate(models):
            for key in row_of(stage).keys(model.outline):
                name = ids.setdefault(_name(models, index, stage, key, made), len(ids))
                named[index].add(name)
                stage_of[name] = stage
                work[name] = model.of(stage, key)
                places.setdefault(name, []).append(Place(index, stage, str(key)))
        for index, names in enumerate(named):
            made[index][stage] = frozenset(names)
    return tuple(
        Chore(stage_of[name], task_seconds(stage_of[name], work[name]), tuple(found)) for name, found in places.items()
    )


def _name(
    models: Sequence[JobWork], index: int, stage: Stage, key: TaskKey, made: Sequence[dict[Stage, frozenset[int]]]
) -> object:
    row = row_of(stage)
    of = range(len(models)) if row.of_family else (index,)
    return (
        stage,
        str(key),
        *(
            (
                models[one].base,
                models[one].outline.has_general,
                row.sees(models[one].outline.spec, key),
                tuple(made[one][earlier] for earlier in row.reads(key)),
            )
            for one in of
        ),
    )

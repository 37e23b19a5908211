"""The tasks of a job that makes one model or several, each piece of work once: equal inputs are worked on once."""

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
class Piece:
    """One piece of work, and the tasks that it does."""

    stage: Stage
    seconds: float  # by the rates of estimate.py
    places: tuple[Place, ...]


@lru_cache(maxsize=256)
def pieces_of(*models: JobWork) -> tuple[Piece, ...]:
    """Return the pieces of a job in the order of the stages.

    Two tasks are one piece where they are of the same base model and see the same settings, and all that they read is
    the same. So what `result_name.py` tells by content is told here before there is any.
    """
    work: dict[object, float] = {}
    places: dict[object, list[Place]] = {}
    stage_of: dict[object, Stage] = {}
    ids: dict[object, int] = {}  # a short name of each long one
    made: list[dict[Stage, frozenset[int]]] = [{} for _ in models]
    for stage in JOB_STAGES:
        for index, model in enumerate(models):
            keys = row_of(stage).keys(model.outline)
            named = [ids.setdefault(_name(model, stage, key, made[index]), len(ids)) for key in keys]
            made[index][stage] = frozenset(named)
            for name, key in zip(named, keys, strict=True):
                stage_of[name] = stage
                work[name] = model.of(stage, key)
                places.setdefault(name, []).append(Place(index, stage, str(key)))
    return tuple(
        Piece(stage_of[name], task_seconds(stage_of[name], work[name]), tuple(found)) for name, found in places.items()
    )


def _name(model: JobWork, stage: Stage, key: TaskKey, made: dict[Stage, frozenset[int]]) -> object:
    row = row_of(stage)
    read = tuple(made[earlier] for earlier in row.reads(key))
    return stage, str(key), model.base, model.outline.has_general, row.sees(model.outline.spec, key), read

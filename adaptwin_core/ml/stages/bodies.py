"""The body of every stage that works on a model: one function for each row of `domain/stage_table.py`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from adaptwin_core.domain.progress import Progress
from adaptwin_core.domain.stages import Stage
from adaptwin_core.ml.model.memory import give_back_freed
from adaptwin_core.ml.stages.calibrate import calibrate
from adaptwin_core.ml.stages.choose import choose_one
from adaptwin_core.ml.stages.evaluate import evaluate
from adaptwin_core.ml.stages.export import export
from adaptwin_core.ml.stages.factorize import factorize
from adaptwin_core.ml.stages.personalize import personalize
from adaptwin_core.ml.stages.publish import publish
from adaptwin_core.ml.stages.recipe import Recipe
from adaptwin_core.ml.stages.search import search
from adaptwin_core.ml.stages.task_result import TaskResult
from adaptwin_core.ml.stages.tune import tune
from adaptwin_core.ml.stages.vocabulary import vocabulary
from adaptwin_core.ml.stages.weigh import weigh

# Takes what it works on, the task's key, an empty folder for its files, and progress to tell.
Body = Callable[[Recipe, Any, Path, Progress], TaskResult]

BODIES: Final[dict[Stage, Body]] = {
    Stage.VOCABULARY: vocabulary,
    Stage.PERSONALIZE: personalize,
    Stage.CALIBRATE: calibrate,
    Stage.WEIGH: weigh,
    Stage.SEARCH: search,
    Stage.FACTORIZE: factorize,
    Stage.TUNE: tune,
    Stage.EVALUATE: evaluate,
    Stage.CHOOSE: choose_one,
    Stage.PUBLISH: publish,
    Stage.EXPORT: export,
}


def work(stage: Stage, recipe: Recipe, key: Any, out: Path, progress: Progress) -> TaskResult:
    """Do one task of a stage.

    Args:
        key: of the type that the stage's row names.
        out: an empty folder; the result's files lie in it.

    Raises:
        AdaptwinError: what the stage's body raises.
    """
    try:
        return BODIES[stage](recipe, key, out, progress)
    finally:
        give_back_freed()

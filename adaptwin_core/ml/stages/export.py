"""A finished model in another runtime's form."""

import json
from pathlib import Path

from adaptwin_core.domain.progress import Progress, no_progress
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.task_keys import Contender, EvaluationKey, ExportKey, ModelKey, SpeechKind, WindowKind
from adaptwin_core.ml.evaluation.manifest import read_manifest
from adaptwin_core.ml.stages.file_names import TEXTS_FILE
from adaptwin_core.ml.stages.recipe import Recipe
from adaptwin_core.ml.stages.task_result import TaskResult


def export(recipe: Recipe, key: ExportKey, out: Path, progress: Progress = no_progress) -> TaskResult:
    """Write the published model in a form, and transcribe the held-out clips in that form's runtime.

    Returns:
        its files, none where it is worse than the model itself; as figures the verdict.
    """
    # Runtimes are imported with it: only a worker that exports needs them.
    from adaptwin_core.ml.exports.acceptance import HeldOutSet
    from adaptwin_core.ml.exports.export import export_model

    checkpoint = recipe.results[Stage.PUBLISH][ModelKey()].folder
    window = WindowKind.of(read_manifest(checkpoint).get("margin_s"))  # the one that the model is for
    evaluated = recipe.results[Stage.EVALUATE][EvaluationKey(Contender.COMPRESSED, SpeechKind.SPEAKER, window)]
    own_texts = json.loads(evaluated.files[TEXTS_FILE].read_text())
    held_out = HeldOutSet.of(recipe.speaker, own_texts)
    made = export_model(key.form, checkpoint, held_out, out, progress=progress)
    return TaskResult(made.files, made.verdict or {})

"""The whole model learns its speaker before anything is measured or cut.

A cut model is then repaired by one that hears its speaker, and every size of one person's model starts from the same.
"""

from pathlib import Path

from adaptwin_core.domain.progress import Progress, no_progress
from adaptwin_core.domain.task_keys import ModelKey
from adaptwin_core.ml.model.checkpoint import save_whole
from adaptwin_core.ml.model.device import device
from adaptwin_core.ml.model.loading import load_whisper
from adaptwin_core.ml.stages.recipe import Recipe
from adaptwin_core.ml.stages.task_result import TaskResult
from adaptwin_core.ml.stages.training_data import mixture_of
from adaptwin_core.ml.training.finetuning import finetune
from adaptwin_core.ml.training.loop import recording_losses
from adaptwin_core.ml.training.teacher import Teacher


def personalize(recipe: Recipe, _key: ModelKey, out: Path, progress: Progress = no_progress) -> TaskResult:
    """Train the base model end to end for `personal_steps`, merge, and write it as a model folder.

    Returns:
        its files, and figures: the loss of every step and of every check.

    Raises:
        InvalidAudio: the speaker's speech has no windows to learn from.
    """
    recipe.speaker_windows()
    spec = recipe.spec
    losses: list[float] = []
    on_step = recording_losses(losses, progress, spec.personal_steps)
    student, base = (load_whisper(recipe.start.folder).to(device()) for _ in range(2))
    mixture = mixture_of(recipe, teacher_knows_speaker=False)
    teacher = Teacher(base, recipe.featurizer)
    tuned = finetune(student, teacher, mixture, spec, num_steps=spec.personal_steps, on_step=on_step)
    names = save_whole(tuned.model.cpu(), recipe.start.folder, out)
    return TaskResult({name: out / name for name in names}, {"losses": losses, "checks": tuned.checks})

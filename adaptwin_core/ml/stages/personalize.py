"""Before anything is measured or cut, the whole model learns its speaker: what is cut then already hears them.

A cut model is then mended by one that hears its speaker, not taught anew; and every size of one person's model starts
from the same.
"""

from pathlib import Path
from typing import Any

from adaptwin_core.domain.progress import Progress, silent
from adaptwin_core.ml.model.checkpoint import save_whole
from adaptwin_core.ml.model.device import device
from adaptwin_core.ml.model.loading import load_whisper
from adaptwin_core.ml.stages.blocks import mixture_of
from adaptwin_core.ml.stages.recipe import Setting
from adaptwin_core.ml.training.finetuning import finetune
from adaptwin_core.ml.training.loop import noting
from adaptwin_core.ml.training.teacher import Teacher


def personalize(
    setting: Setting, out: Path, progress: Progress = silent
) -> tuple[dict[str, Path], dict[str, list[Any]]]:
    """Train the base model end to end for `personal_steps`, merge, and write it as a model folder to `out`.

    Returns:
        its files, and figures: the loss of every step and of every check.

    Raises:
        InvalidAudio: the speaker's speech has no windows to learn from.
    """
    setting.speaker_windows()
    spec = setting.spec
    losses: list[float] = []
    on_step = noting(losses, progress, spec.personal_steps)
    student, original = (load_whisper(setting.base_folder).to(device()) for _ in range(2))
    teacher = Teacher(original, setting.featurizer())
    tuned = finetune(student, teacher, mixture_of(setting), spec, num_steps=spec.personal_steps, on_step=on_step)
    names = save_whole(tuned.model.cpu(), setting.base_folder, out)
    return {name: out / name for name in names}, {"losses": losses, "checks": tuned.checks}

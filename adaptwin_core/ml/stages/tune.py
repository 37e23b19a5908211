"""The cut blocks become one model: assembled, trained end to end to make up for the cut, and stored as asked for."""

from pathlib import Path

from safetensors.torch import load_file
from torch import Tensor

from adaptwin_core.domain.progress import Progress, no_progress
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.task_keys import ModelKey
from adaptwin_core.ml.model.checkpoint import assemble, save
from adaptwin_core.ml.model.device import device
from adaptwin_core.ml.model.loading import load_whisper
from adaptwin_core.ml.model.quantization import stored_state
from adaptwin_core.ml.stages.calibrations import encoded_windows
from adaptwin_core.ml.stages.file_names import BLOCK_FILE
from adaptwin_core.ml.stages.recipe import Recipe
from adaptwin_core.ml.stages.task_result import TaskResult
from adaptwin_core.ml.stages.training_data import mixture_of
from adaptwin_core.ml.training.finetuning import finetune
from adaptwin_core.ml.training.input_moments import measure_input_moments, weighted_windows
from adaptwin_core.ml.training.loop import Checks, recording_losses
from adaptwin_core.ml.training.scale_tuning import rescale
from adaptwin_core.ml.training.teacher import Teacher


def tune(recipe: Recipe, _key: ModelKey, out: Path, progress: Progress = no_progress) -> TaskResult:
    """Put the cut blocks together, train end to end where there are any, merge, quantize as the settings say, train
    the scales of 4 bits, and write the model's folder.

    Returns:
        its files, and figures: exact parameter counts, the loss of every step and of every check, for the whole and
        for the scales of 4 bits.
    """
    spec, plan = recipe.spec, recipe.plan
    cut = {str(block): made.files for block, made in recipe.results[Stage.FACTORIZE].items()}
    model = assemble(recipe.whole_folder, plan, {name: load_file(cut[name][BLOCK_FILE]) for name in plan.blocks})
    losses: list[float] = []
    scale_losses: list[float] = []
    checks: Checks = []
    scale_checks: Checks = []
    state: dict[str, Tensor] | None = None
    cut_steps = spec.tune_steps if plan.blocks else 0
    if cut_steps > 0 or spec.weights == "int4":
        whole = load_whisper(recipe.whole_folder).to(device())
        teacher = Teacher(whole, recipe.featurizer, encoded_windows(recipe))
        mixture = mixture_of(recipe, teacher_knows_speaker=bool(recipe.results[Stage.PERSONALIZE]))
        to_round = weighted_windows(mixture, recipe.speaker_weight) if spec.weights == "int4" else ()
        num_steps = cut_steps + (len(to_round) + spec.scale_steps if to_round else 0)
        on_step = recording_losses(losses, progress, num_steps)
        tuned = finetune(model.to(device()), teacher, mixture, spec, num_steps=cut_steps, on_step=on_step)
        model = tuned.model
        checks = tuned.checks
        if to_round:
            inputs = measure_input_moments(
                model, teacher, to_round, progress=lambda done, _total, /, **_: progress(cut_steps + done, num_steps)
            )
            rounded = stored_state(model, spec.weights, inputs)
            del inputs  # of a large model they take more than its weights
            on_step = recording_losses(scale_losses, progress, num_steps, before=cut_steps + len(to_round))
            scaled = rescale(model, rounded, teacher, mixture, spec, num_steps=spec.scale_steps, on_step=on_step)
            state = scaled.state
            scale_checks = scaled.checks
    names = save(model.cpu(), recipe.start.folder, out, weights=spec.weights, state=state)
    figures = {
        "encoder_params": plan.encoder_params(recipe.shape),
        "total_params": plan.total_params(recipe.shape),
        "losses": losses,
        "checks": checks,
        "scale_losses": scale_losses,
        "scale_checks": scale_checks,
    }
    return TaskResult({name: out / name for name in names}, figures)

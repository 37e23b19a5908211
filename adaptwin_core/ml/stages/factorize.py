"""The cut of one block: in closed form, then tuned alone against the same block of the whole model."""

from pathlib import Path

from safetensors.torch import load_file, save_file

from adaptwin_core.domain.progress import Progress, no_progress
from adaptwin_core.domain.shape import BlockId
from adaptwin_core.domain.stages import Stage
from adaptwin_core.ml.compression.cut_layer import build_cut_layer
from adaptwin_core.ml.compression.factorization import factorize_block
from adaptwin_core.ml.model.device import device
from adaptwin_core.ml.model.loading import load_layer
from adaptwin_core.ml.stages.calibrations import block_inputs, mixed_moments, read_shards
from adaptwin_core.ml.stages.file_names import BLOCK_FILE, NEURON_ORDER_FILE
from adaptwin_core.ml.stages.recipe import Recipe
from adaptwin_core.ml.stages.task_result import TaskResult
from adaptwin_core.ml.training.block_tuning import tune_block


def factorize(recipe: Recipe, block: BlockId, out: Path, progress: Progress = no_progress) -> TaskResult:
    """Cut a block to the sizes of the plan and write its weights.

    Returns:
        the file, and figures: the predicted error of each part, and the error of the block before and after tuning.
        Empty where the plan leaves the block uncut.
    """
    spec = recipe.spec
    plan = recipe.plan.blocks.get(str(block))
    if plan is None:
        return TaskResult({})
    where = device()
    shards = read_shards(recipe, block)
    layer = load_layer(recipe.whole_folder, block).to(where)
    weighed = recipe.results[Stage.WEIGH]
    order_F = None
    if weighed and block.has_ff:
        order_F = load_file(weighed[block].files[NEURON_ORDER_FILE])["order_F"].to(where)
    cut = factorize_block(layer, block, plan, mixed_moments(recipe, shards, where), order_F)
    tuned = tune_block(
        layer,
        build_cut_layer(layer, block, plan, cut).to(where),
        block,
        block_inputs(recipe, shards, block, where),
        lora_rank=spec.lora_rank,
        steps=spec.layer_steps,
        learning_rate=spec.layer_learning_rate,
        seed=spec.seed,
        on_step=lambda step, loss: progress(step, spec.layer_steps, loss=round(loss, 5)),
    )
    path = out / BLOCK_FILE
    save_file({key: tensor.cpu().contiguous() for key, tensor in tuned.state.items()}, path)
    figures = {"errors": cut.errors, "error_before": tuned.error_before, "error_after": tuned.error_after}
    return TaskResult({path.name: path}, figures)

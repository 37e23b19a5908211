"""Sensitivity of one block: what each size of each of its parts would lose."""

import json
from pathlib import Path

from safetensors.torch import save_file

from adaptwin_core.domain.progress import Progress, no_progress
from adaptwin_core.domain.sensitivity import sizes_of
from adaptwin_core.domain.shape import BlockId
from adaptwin_core.domain.task_keys import SpeechKind
from adaptwin_core.ml.compression.factorization import rank_neurons, white_moments
from adaptwin_core.ml.compression.sensitivity import WeighedInput, measure_sensitivities
from adaptwin_core.ml.model.adapter import layer_of
from adaptwin_core.ml.model.device import device
from adaptwin_core.ml.model.loading import load_from
from adaptwin_core.ml.stages.calibrate import WEIGHED_WINDOWS
from adaptwin_core.ml.stages.calibrations import block_inputs, mixed_moments, read_shards
from adaptwin_core.ml.stages.file_names import NEURON_ORDER_FILE, SENSITIVITY_FILE
from adaptwin_core.ml.stages.recipe import Recipe
from adaptwin_core.ml.stages.task_result import TaskResult


def weigh(recipe: Recipe, block: BlockId, out: Path, progress: Progress = no_progress) -> TaskResult:
    """Measure the loss of every size of every part of a block, and rank its neurons."""
    where = device()
    shards = read_shards(recipe, block)
    moments = mixed_moments(recipe, shards, where)
    model = load_from(recipe.whole_folder, block, where)
    layer = layer_of(model, block)
    paths = [out / SENSITIVITY_FILE]
    order_F = None
    if block.has_ff:
        order_F = rank_neurons(layer, block, moments if moments is not None else white_moments(layer, block))
        paths.append(out / NEURON_ORDER_FILE)
        save_file({"order_F": order_F.cpu()}, paths[-1])
    inputs = []
    weights = {SpeechKind.SPEAKER: recipe.speaker_weight, SpeechKind.GENERAL: 1 - recipe.speaker_weight}
    for kind, weight in weights.items():
        kept = block_inputs(recipe, shards, block, where, kind)[:WEIGHED_WINDOWS]
        inputs += [WeighedInput(item, weight / len(kept)) for item in kept if weight > 0]
    if not inputs:  # the kind that counts has no windows
        inputs = [WeighedInput(item, 1.0) for item in block_inputs(recipe, shards, block, where)[:WEIGHED_WINDOWS]]
    sizes = sizes_of(recipe.shape, block)
    losses = measure_sensitivities(model, block, sizes, moments, inputs, order_F, progress=progress)
    paths[0].write_text(json.dumps([loss.model_dump() for loss in losses]))
    return TaskResult({path.name: path for path in paths})

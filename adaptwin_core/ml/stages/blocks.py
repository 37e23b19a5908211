"""The recipe, top to bottom, between measuring the speech (measured.py) and judging the result (judging.py): weigh and
cut every block, tune the whole. Each step reads and writes files, so steps can run anywhere. What comes first of all is
personalize.py.

`adaptwin compress` calls them in a row; the service's workers call them one task at a time. Both give the same model,
but for the rounding of sums taken in another order.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor

from adaptwin_core.domain.held_back import MAX_WINDOWS, num_held_back
from adaptwin_core.domain.progress import Progress, silent
from adaptwin_core.domain.sensitivity import Sensitivities, Sensitivity, sizes_of
from adaptwin_core.domain.shape import BlockId
from adaptwin_core.ml.compression.cut_layer import build_cut_layer
from adaptwin_core.ml.compression.factorization import factorize_block, rank_neurons, white_moments
from adaptwin_core.ml.compression.sensitivity import WeighedInput, measure_sensitivities
from adaptwin_core.ml.model.adapter import layer_of
from adaptwin_core.ml.model.checkpoint import assemble, save
from adaptwin_core.ml.model.device import device
from adaptwin_core.ml.model.loading import load_layer, load_whisper
from adaptwin_core.ml.model.quantization import stored_state
from adaptwin_core.ml.model.windows import Window, WordlessWindow, pack, pack_short
from adaptwin_core.ml.stages.measured import WEIGHED_WINDOWS, block_inputs, encoded_windows, mixed_moments, read_shards
from adaptwin_core.ml.stages.recipe import Setting
from adaptwin_core.ml.training.block_tuning import tune_block
from adaptwin_core.ml.training.finetuning import finetune
from adaptwin_core.ml.training.input_moments import measure_input_moments, weighted_windows
from adaptwin_core.ml.training.loop import Checks, noting
from adaptwin_core.ml.training.mixture import Mixture
from adaptwin_core.ml.training.scale_tuning import rescale
from adaptwin_core.ml.training.teacher import Teacher
from adaptwin_core.speech.corpus import Corpus
from adaptwin_core.speech.wordless import wordless

SENSITIVITIES_FILE, ORDER_FILE, BLOCK_FILE = "sensitivities.json", "order.safetensors", "block.safetensors"
NUM_WORDLESS = 10  # made up, to learn silence from


def weigh_block(
    setting: Setting, name: str, calibrations: Sequence[dict[str, Path]], out: Path, progress: Progress = silent
) -> tuple[dict[str, Path], dict[str, Any]]:
    """Measure what each size of each part of one block would lose, and rank its neurons.

    Args:
        calibrations: the files of every shard, in order.

    Returns:
        the files, and no figures.
    """
    block, where = BlockId.parse(name), device()
    shards = read_shards(name, calibrations)
    moments = mixed_moments(setting, shards, where)
    model = load_whisper(setting.whole_folder).to(where)
    layer = layer_of(model, block)
    paths = [out / SENSITIVITIES_FILE]
    order_F = None
    if block.has_ff:
        order_F = rank_neurons(layer, block, moments if moments is not None else white_moments(layer, block))
        paths.append(out / ORDER_FILE)
        save_file({"order_F": order_F.cpu()}, paths[-1])
    inputs = []
    for kind, weight in (("speaker", setting.speaker_weight), ("general", 1 - setting.speaker_weight)):
        kept = block_inputs(shards, calibrations, block, where, kind)[:WEIGHED_WINDOWS]
        inputs += [WeighedInput(item, weight / len(kept)) for item in kept if weight > 0]
    if not inputs:  # the kind that counts has no windows
        inputs = [
            WeighedInput(item, 1.0) for item in block_inputs(shards, calibrations, block, where)[:WEIGHED_WINDOWS]
        ]
    sensitivities = measure_sensitivities(
        model, block, sizes_of(setting.shape, block), moments, inputs, order_F, progress=progress
    )
    paths[0].write_text(json.dumps([found.model_dump() for found in sensitivities]))
    return {path.name: path for path in paths}, {}


def read_sensitivities(weighed: dict[str, dict[str, Path]]) -> Sensitivities:
    """Return every block's sensitivities from the files of `weigh_block`."""
    return {
        name: [Sensitivity.model_validate(found) for found in json.loads(files[SENSITIVITIES_FILE].read_text())]
        for name, files in weighed.items()
    }


def cut_block(
    setting: Setting,
    name: str,
    calibrations: Sequence[dict[str, Path]],
    weighed: dict[str, Path] | None,
    out: Path,
    progress: Progress = silent,
) -> tuple[dict[str, Path], dict[str, Any]]:
    """Factorize one block in closed form, tune it alone against the original, and write its weights.

    Args:
        calibrations: the files of every shard, in order.
        weighed: the files of `weigh_block`, where the plan was measured.

    Returns:
        the file, and figures: predicted error of each part, error of the block before and after tuning; nothing where
        the plan leaves the block whole.
    """
    spec, block = setting.spec, BlockId.parse(name)
    plan = setting.plan.blocks.get(name)
    if plan is None:
        return {}, {}
    where = device()
    shards = read_shards(name, calibrations)
    layer = load_layer(setting.whole_folder, block).to(where)
    order_F = load_file(weighed[ORDER_FILE])["order_F"].to(where) if weighed and ORDER_FILE in weighed else None
    cut = factorize_block(layer, block, plan, mixed_moments(setting, shards, where), order_F)
    tuned = tune_block(
        layer,
        build_cut_layer(layer, block, plan, cut).to(where),
        block,
        block_inputs(shards, calibrations, block, where),
        lora_rank=spec.lora_rank,
        steps=spec.layer_steps,
        learning_rate=spec.layer_learning_rate,
        seed=spec.seed,
        on_step=lambda step, loss: progress(step, spec.layer_steps, loss=round(loss, 5)),
    )
    path = out / BLOCK_FILE
    save_file({key: tensor.cpu().contiguous() for key, tensor in tuned.state.items()}, path)
    info = {"errors": cut.errors, "error_before": tuned.error_before, "error_after": tuned.error_after}
    return {path.name: path}, info


def cut_blocks(
    setting: Setting,
    calibrations: Sequence[dict[str, Path]],
    weighed: dict[str, dict[str, Path]],
    out: Path,
    progress: Progress = silent,
) -> dict[str, Path]:
    """Cut every block of the plan, one after the other, each in its folder of `out`, and return their weights' files.

    Args:
        progress: called with blocks done and in all.
    """
    files: dict[str, Path] = {}
    names = list(setting.plan.blocks)
    for name in names:
        place = out / name
        place.mkdir(parents=True)
        files[name] = cut_block(setting, name, calibrations, weighed.get(name), place)[0][BLOCK_FILE]
        progress(len(files), len(names))
    return files


def tune_whole(
    setting: Setting,
    calibrations: Sequence[dict[str, Path]],
    blocks: dict[str, Path],
    out: Path,
    progress: Progress = silent,
) -> tuple[dict[str, Path], dict[str, Any]]:
    """Put the cut blocks together, train end to end where there are any, merge, round as the settings say, train the
    scales of 4 bits, and write the model's folder.

    Args:
        calibrations: the files of every shard, in order.

    Returns:
        its files, and figures: exact parameter counts, the loss of every step and of every check, for the whole and
        for the scales of 4 bits.
    """
    spec, plan = setting.spec, setting.plan
    model = assemble(setting.whole_folder, plan, {name: load_file(path) for name, path in blocks.items()})
    losses: list[float] = []
    scale_losses: list[float] = []
    checks: Checks = []
    scale_checks: Checks = []
    state: dict[str, Tensor] | None = None
    cut_steps = spec.tune_steps if plan.blocks else 0
    if cut_steps > 0 or spec.weights == "int4":
        whole = load_whisper(setting.whole_folder).to(device())
        teacher = Teacher(whole, setting.featurizer(), encoded_windows(setting, calibrations))
        mixture = mixture_of(setting)
        to_round = weighted_windows(mixture, setting.speaker_weight) if spec.weights == "int4" else ()
        num_steps = cut_steps + (len(to_round) + spec.scale_steps if to_round else 0)
        on_step = noting(losses, progress, num_steps)
        tuned = finetune(model.to(device()), teacher, mixture, spec, num_steps=cut_steps, on_step=on_step)
        model = tuned.model
        checks = tuned.checks
        if to_round:
            inputs = measure_input_moments(
                model, teacher, to_round, on_window=lambda done: progress(cut_steps + done, num_steps)
            )
            rounded = stored_state(model, spec.weights, inputs)
            del inputs  # of a large model they take more than its weights
            on_step = noting(scale_losses, progress, num_steps, before=cut_steps + len(to_round))
            scaled = rescale(model, rounded, teacher, mixture, spec, num_steps=spec.scale_steps, on_step=on_step)
            state = scaled.state
            scale_checks = scaled.checks
    names = save(model.cpu(), setting.base_folder, out, weights=spec.weights, state=state)
    info = {
        "encoder_params": plan.encoder_params(setting.shape),
        "total_params": plan.total_params(setting.shape),
        "losses": losses,
        "checks": checks,
        "scale_losses": scale_losses,
        "scale_checks": scale_checks,
    }
    return {name: out / name for name in names}, info


def mixture_of(setting: Setting) -> Mixture:
    """Return the windows that are learnt from end to end, and those that judge it."""
    # With transcripts, only they are learnt from; without any, the original's own words are.
    transcribed = pack(setting.speaker, "train", seed=setting.spec.seed, labelled=True, num_tokens=setting.num_tokens)
    has_words = any(window.text for window in transcribed)
    speaker, speaker_held_back = _held_back(setting, setting.speaker, labelled=has_words)
    general, general_held_back = _held_back(setting, setting.general, labelled=False)
    quiet = [WordlessWindow(sound) for sound in wordless(NUM_WORDLESS, setting.spec.seed)]
    return Mixture(
        speaker,
        general,
        speaker_held_back,
        general_held_back,
        quiet,
        speaker_short=pack_short(speaker, seed=setting.spec.seed, num_tokens=setting.num_tokens),
        general_short=pack_short(general, seed=setting.spec.seed, num_tokens=setting.num_tokens),
        teacher_knows_speaker=setting.personal_folder is not None,
    )


def _held_back(setting: Setting, corpus: Corpus | None, *, labelled: bool) -> tuple[list[Window], list[Window]]:
    """Return windows to learn from and windows to judge by: the valid split, or a tenth of what there is."""
    if corpus is None:
        return [], []
    learnt, held_back = (
        pack(corpus, split, seed=setting.spec.seed, labelled=labelled, num_tokens=setting.num_tokens)
        for split in ("train", "valid")
    )
    if not held_back:
        count = num_held_back(len(learnt))
        # The last ones: the layer-wise phase takes the first, and so does calibration where it does not take all.
        learnt, held_back = learnt[: len(learnt) - count], learnt[len(learnt) - count :]
    return learnt, held_back[:MAX_WINDOWS]

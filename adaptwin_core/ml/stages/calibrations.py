"""What calibration has found, read from the files of every shard."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor

from adaptwin_core.domain.shape import BlockId
from adaptwin_core.domain.task_keys import SpeechKind
from adaptwin_core.ml.compression.cut_layer import BlockInput
from adaptwin_core.ml.compression.moments import BlockMoments, MomentSums, mix
from adaptwin_core.ml.stages.file_names import ENCODED_FILE, moments_file
from adaptwin_core.ml.stages.recipe import Recipe

_INPUT = "input."

Shards = Sequence[Mapping[str, Tensor]]  # one block's tensors of every shard


def input_name(kind: SpeechKind, window: int) -> str:
    """Return the name of what one window of one kind of speech gave: a block's input, or the encoder's output."""
    return f"{_INPUT}{kind}.{window:05d}"


def read_shards(recipe: Recipe, block: BlockId) -> Shards:
    """Return one block's tensors from the files of every shard."""
    return [load_file(files[moments_file(block)]) for files in recipe.calibrations]


def mixed_moments(recipe: Recipe, shards: Shards, where: torch.device) -> BlockMoments | None:
    """Return the mixed moments of a block; None for the plain start, which looks at no speech."""
    if recipe.spec.start == "plain":
        return None
    speaker, general = (
        sum((MomentSums.from_tensors(tensors, kind) for tensors in shards), MomentSums()) for kind in SpeechKind
    )
    return mix(speaker, general, recipe.speaker_weight).to(where)


def block_inputs(
    recipe: Recipe, shards: Shards, block: BlockId, where: torch.device, kind: SpeechKind | None = None
) -> list[BlockInput]:
    """Return what reaches the block in the kept windows, of one kind of speech or of both in turns."""
    prefix = _INPUT if kind is None else f"{_INPUT}{kind}."
    hidden = {name: x for tensors in shards for name, x in tensors.items() if name.startswith(prefix)}
    encoded = _encoded(recipe.calibrations, hidden) if block.attention == "cross" else {}
    return [
        BlockInput(hidden[name].float().to(where), encoded[name].float().to(where) if encoded else None)
        for name in sorted(hidden, key=lambda name: name.split(".")[::-1])  # kinds take turns
    ]


def encoded_windows(recipe: Recipe) -> dict[str, Tensor]:
    """Return the output_1SD (float16) of the whole model's encoder for every calibrated window, by its name."""
    windows = {
        input_name(kind, index): window.name for kind in SpeechKind for index, window in enumerate(recipe.windows(kind))
    }
    return {windows[name]: encoded_1SD for name, encoded_1SD in _encoded(recipe.calibrations, windows).items()}


def _encoded(calibrations: Sequence[Mapping[str, Path]], wanted: Collection[str]) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for files in calibrations:
        if ENCODED_FILE in files:
            with safe_open(files[ENCODED_FILE], framework="pt") as file:
                found |= {name: file.get_tensor(name) for name in file.keys() if name in wanted}  # noqa: SIM118
    return found

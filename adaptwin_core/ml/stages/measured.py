"""Calibration as files: one pass of the original over the speech writes one file a block, and the steps that follow
read them.
"""

from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from adaptwin_core.domain.planner import blocks_to_cut
from adaptwin_core.domain.progress import Progress, silent
from adaptwin_core.domain.shape import BlockId
from adaptwin_core.ml.compression.calibration import calibrate
from adaptwin_core.ml.compression.cut_layer import BlockInput
from adaptwin_core.ml.compression.moments import BlockMoments, MomentSums, mix
from adaptwin_core.ml.model.device import device
from adaptwin_core.ml.model.loading import load_whisper
from adaptwin_core.ml.stages.recipe import Setting

ENCODED_FILE = "encoded.safetensors"
_INPUT = "input."
WEIGHED_WINDOWS = 1  # of each kind of speech: the first ones, on which sizes are weighed
ENOUGH_WINDOWS = 8  # of one kind, to leave those out of the moments


def block_file(name: str) -> str:
    """Return the file that holds a block's moments and inputs."""
    return f"{name}.safetensors"


def measure(setting: Setting, shard: int, num_shards: int, out: Path, progress: Progress = silent) -> dict[str, Path]:
    """Calibrate on every `num_shards`-th window and write one file a block, with the moments of both kinds of speech
    and block inputs, and one with what the encoder says of every window.

    The layer-wise phase takes general windows in the share that λ leaves them. The windows that sizes are weighed on
    are left out of the moments where there are others enough: on what it was fitted to, a part seems to lose less.

    Raises:
        InvalidAudio: the speaker's speech has no windows to measure.
    """
    spec = setting.spec
    speaker = setting.speaker_windows()
    blocks = blocks_to_cut(spec, setting.shape)
    model = load_whisper(setting.whole_folder).to(device())
    featurizer = setting.featurizer()
    num_speaker = max(1, round(spec.layer_windows * setting.speaker_weight))
    kinds = (
        ("speaker", speaker, num_speaker),
        ("general", setting.windows(setting.general), spec.layer_windows - num_speaker),
    )

    def of_shard(first: int) -> int:
        return len(range(shard, first, num_shards))

    shares = {
        kind: (
            windows[shard::num_shards],
            of_shard(min(kept, len(windows))),
            of_shard(WEIGHED_WINDOWS if len(windows) >= ENOUGH_WINDOWS else 0),
        )
        for kind, packed, kept in kinds
        for windows in [packed[: spec.calibration_windows]]
    }
    total = sum(len(windows) for windows, _, _ in shares.values())
    tensors: dict[str, dict[str, Tensor]] = {str(block): {} for block in blocks}
    encoded: dict[str, Tensor] = {}
    done = 0
    for kind, (windows, num_kept, num_unmeasured) in shares.items():
        measured = calibrate(
            model,
            featurizer,
            blocks,
            windows,
            num_kept=num_kept,
            num_unmeasured=num_unmeasured,
            progress=partial(_report_window, progress, done, total),
        )
        done += len(windows)
        for name in tensors:
            tensors[name] |= measured.moments[name].to_tensors(kind)
            tensors[name] |= {
                _input_name(kind, shard + i * num_shards): x for i, x in enumerate(measured.inputs_1TD[name])
            }
        encoded |= {_input_name(kind, shard + i * num_shards): x for i, x in enumerate(measured.encoded_1SD)}
    files = {block_file(name): block_tensors for name, block_tensors in tensors.items()}
    if encoded:  # a shard may have no window
        files[ENCODED_FILE] = encoded
    for name, content in files.items():
        save_file(content, out / name)
    return {name: out / name for name in files}


def _input_name(kind: str, window: int) -> str:
    return f"{_INPUT}{kind}.{window:05d}"


def _report_window(progress: Progress, before: int, total: int, done: int, _windows: int, /, **_: float) -> None:
    progress(before + done, total)


def read_shards(name: str, calibrations: Sequence[dict[str, Path]]) -> list[dict[str, Tensor]]:
    """Return one block's tensors from the files of every shard."""
    return [load_file(files[block_file(name)]) for files in calibrations]


def mixed_moments(setting: Setting, shards: Sequence[dict[str, Tensor]], where: torch.device) -> BlockMoments | None:
    """Return the mixed moments of a block; None for the plain start, which looks at no speech."""
    speaker, general = (
        sum((MomentSums.from_tensors(tensors, kind) for tensors in shards), MomentSums())
        for kind in ("speaker", "general")
    )
    if setting.spec.start == "plain":
        return None
    return mix(speaker, general, setting.speaker_weight).to(where)


def block_inputs(
    shards: Sequence[dict[str, Tensor]],
    calibrations: Sequence[dict[str, Path]],
    block: BlockId,
    where: torch.device,
    kind: str = "",
) -> list[BlockInput]:
    """Return what reaches the block in the kept windows, of one kind of speech or of both in turns."""
    hidden = {name: x for tensors in shards for name, x in tensors.items() if name.startswith(_INPUT + kind)}
    encoded = _encoded(calibrations, hidden) if block.attention == "cross" else {}
    return [
        BlockInput(hidden[name].float().to(where), encoded[name].float().to(where) if encoded else None)
        for name in sorted(hidden, key=lambda name: name.split(".")[::-1])  # kinds take turns
    ]


def encoded_windows(setting: Setting, calibrations: Sequence[dict[str, Path]]) -> dict[str, Tensor]:
    """Return the output_1SD (float16) of the original's encoder for every window that was measured, by its name."""
    windows = {
        _input_name(kind, index): window.name
        for kind, corpus in (("speaker", setting.speaker), ("general", setting.general))
        for index, window in enumerate(setting.windows(corpus))
    }
    return {windows[name]: encoded_1SD for name, encoded_1SD in _encoded(calibrations, windows).items()}


def _encoded(calibrations: Sequence[dict[str, Path]], wanted: Collection[str]) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for files in calibrations:
        if ENCODED_FILE in files:
            with safe_open(files[ENCODED_FILE], framework="pt") as file:
                found |= {name: file.get_tensor(name) for name in file.keys() if name in wanted}  # noqa: SIM118
    return found

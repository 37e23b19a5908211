"""Calibration: one pass of the whole model over a shard of the speech."""

from functools import partial
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor

from adaptwin_core.domain.planner import blocks_to_cut
from adaptwin_core.domain.progress import Progress, no_progress
from adaptwin_core.domain.task_keys import ShardKey, SpeechKind
from adaptwin_core.ml.compression import calibration
from adaptwin_core.ml.model.device import device
from adaptwin_core.ml.model.loading import load_whisper
from adaptwin_core.ml.stages.calibrations import input_name
from adaptwin_core.ml.stages.file_names import ENCODED_FILE, moments_file
from adaptwin_core.ml.stages.recipe import Recipe
from adaptwin_core.ml.stages.task_result import TaskResult

WEIGHED_WINDOWS = 1  # of each kind of speech: the first ones, on which sizes are weighed
ENOUGH_WINDOWS = 8  # of one kind, to leave those out of the moments


def calibrate(recipe: Recipe, key: ShardKey, out: Path, progress: Progress = no_progress) -> TaskResult:
    """Write one file a block, with the moments of both kinds of speech and the inputs of the block, and one with the
    encoder's output for every window of the shard.

    The layer-wise phase takes general windows in the share that λ leaves them. The windows that sizes are weighed on
    are left out of the moments if enough others remain: a part seems to lose less on windows that it was fitted to.

    Raises:
        InvalidAudio: the speaker's speech has no windows to calibrate on.
    """
    spec = recipe.spec
    windows_of = {
        SpeechKind.SPEAKER: recipe.speaker_windows(),
        SpeechKind.GENERAL: recipe.windows(SpeechKind.GENERAL),
    }
    blocks = blocks_to_cut(spec, recipe.base.shape)
    model = load_whisper(recipe.whole_folder).to(device())
    num_speaker = max(1, round(spec.layer_windows * recipe.speaker_weight))
    kept_of = {SpeechKind.SPEAKER: num_speaker, SpeechKind.GENERAL: spec.layer_windows - num_speaker}

    def num_in_shard(num_first: int) -> int:
        return len(range(key.index, num_first, key.count))

    measured_of = {kind: windows[: spec.calibration_windows] for kind, windows in windows_of.items()}
    total = sum(len(windows[key.index :: key.count]) for windows in measured_of.values())
    tensors: dict[str, dict[str, Tensor]] = {moments_file(block): {} for block in blocks}
    encoded: dict[str, Tensor] = {}
    done = 0
    for kind, windows in measured_of.items():
        shard = windows[key.index :: key.count]
        measured = calibration.calibrate(
            model,
            recipe.featurizer,
            blocks,
            shard,
            num_kept=num_in_shard(min(kept_of[kind], len(windows))),
            num_unmeasured=num_in_shard(WEIGHED_WINDOWS if len(windows) >= ENOUGH_WINDOWS else 0),
            progress=partial(_report_window, progress, done, total),
        )
        done += len(shard)
        for block in blocks:
            of_block = tensors[moments_file(block)]
            of_block |= measured.moments[str(block)].to_tensors(kind)
            of_block |= {
                input_name(kind, key.index + i * key.count): x for i, x in enumerate(measured.inputs_1TD[str(block)])
            }
        encoded |= {input_name(kind, key.index + i * key.count): x for i, x in enumerate(measured.encoded_1SD)}
    contents = tensors | ({ENCODED_FILE: encoded} if encoded else {})  # a shard may have no window
    for name, content in contents.items():
        save_file(content, out / name)
    return TaskResult({name: out / name for name in contents})


def _report_window(progress: Progress, before: int, total: int, done: int, _windows: int, /, **_: float) -> None:
    progress(before + done, total)

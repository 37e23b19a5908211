"""What a job takes of memory and disk, roughly: the largest arrays that its tasks hold, and the files that they leave.

Compared with peaks that were measured: whisper-base 3.7 GB, small 4.9 GB, large-v3 24 GB.
"""

from typing import Final

from adaptwin_core.domain.audio import WINDOW_FRAMES
from adaptwin_core.domain.model_size import size_of
from adaptwin_core.domain.plan import RankPlan, whole_params
from adaptwin_core.domain.planner import blocks_to_cut
from adaptwin_core.domain.work import JobWork

PROGRAM_BYTES: Final = 1_500_000_000  # Python, torch and what they keep
DOUBLE_BYTES, FLOAT_BYTES, HALF_BYTES = 8, 4, 2
KEPT_FOR_BACKWARD: Final = 3  # of each activation: the value, what an adapter adds, and a gradient


def memory_bytes(model: JobWork) -> int:
    """Return the most memory that a worker needs for a task of this job: two models, the activations of one window that
    is trained on, and what the teacher said of every window.
    """
    shape = model.shape
    t, d = shape.max_source_positions, shape.d_model
    activations = t * (10 * d + 2 * shape.encoder_ffn) * shape.encoder_layers * FLOAT_BYTES * KEPT_FOR_BACKWARD
    example = HALF_BYTES * (t * d + shape.num_mel_bins * WINDOW_FRAMES)
    num_examples = sum(one.num_windows for one in model.heard)
    return PROGRAM_BYTES + 2 * FLOAT_BYTES * shape.total_params + activations + num_examples * example


def disk_bytes(model: JobWork) -> int:
    """Return what the results of one model take: the model that has learnt its speaker, moments and inputs of every
    block that is cut, the cut blocks, and the finished model.
    """
    spec, shape = model.outline.spec, model.shape
    t, d = shape.max_source_positions, shape.d_model
    whole = size_of(shape, RankPlan(blocks={}), "float16").bytes
    taken = size_of(shape, RankPlan(blocks={}), spec.weights).bytes
    if spec.personal_steps:
        taken += whole
    blocks = blocks_to_cut(spec, model.outline.shape)
    num_windows = sum(min(spec.calibration_windows, one.num_windows) for one in model.heard)
    if blocks:
        taken += num_windows * t * d * HALF_BYTES
    for block in blocks:
        f = shape.ffn(block.half) if block.has_ff else 0
        moments = model.outline.num_shards * len(model.heard) * (f * f + 2 * d * d) * DOUBLE_BYTES
        inputs = spec.layer_windows * t * d * HALF_BYTES
        taken += moments + inputs + whole_params(shape, block) * FLOAT_BYTES
    return taken

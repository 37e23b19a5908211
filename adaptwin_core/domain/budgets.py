"""How much is to be removed: what the settings ask for, as parameters of each half of a model."""

import math

from adaptwin_core.domain.errors import InvalidSpec
from adaptwin_core.domain.shape import Half, ModelShape
from adaptwin_core.domain.spec import CompressionSpec

# As stored: in int8 and int4 all but matrices stays float16, and scales are added.
BYTES_PER_PARAM = {"float16": 2.0, "int8": 1.06, "int4": 0.7}
HEADER_BYTES = 262_144  # room for the names in a safetensors file
DEEPEST_CUT = 0.75  # of all layers: what the measured plan reaches on every Whisper


def budget_of(shape: ModelShape, half: Half, cut: float) -> int:
    """Return how many parameters a cut removes. A decoder's cut counts its layers only: its embeddings stay."""
    return math.ceil(cut * (shape.encoder_params if half == "encoder" else shape.decoder_layer_params))


def cuts_of(spec: CompressionSpec, shape: ModelShape, *, num_dropped: int = 0) -> dict[Half, float]:
    """Return the share to remove of each half that is cut.

    A budget for the whole model takes the same share of encoder and decoder layers. Dropped tokens count towards it.

    Args:
        num_dropped: tokens of the base model that `shape` is without.

    Raises:
        InvalidSpec: the embeddings alone exceed the budget, or come so near to it that too little of the layers would
            be left.
    """
    cuts: dict[Half, float] = {"encoder": spec.encoder_cut, "decoder": spec.decoder_cut}
    removed = _removed_of_whole(spec, shape, num_dropped)
    if removed is not None:
        share = max(0.0, removed / (shape.encoder_params + shape.decoder_layer_params))
        if share > DEEPEST_CUT:
            least = shape.total_params - DEEPEST_CUT * (shape.encoder_params + shape.decoder_layer_params)
            least_bytes = HEADER_BYTES + math.ceil(least * BYTES_PER_PARAM[spec.weights])
            raise InvalidSpec(
                f"this budget is out of reach: at least {least:,.0f} parameters ({least_bytes:,.0f} bytes) must stay; "
                "ask for a larger budget or take a smaller base model"
            )
        cuts = {"encoder": share, "decoder": share}
    return {half: cut for half, cut in cuts.items() if cut > 0}


def _removed_of_whole(spec: CompressionSpec, shape: ModelShape, num_dropped: int) -> int | None:
    """Return the parameters to remove where the settings give a budget for the whole model; else None."""
    if spec.max_bytes is not None:
        return shape.total_params - int((spec.max_bytes - HEADER_BYTES) / BYTES_PER_PARAM[spec.weights])
    if spec.model_cut is None:
        return None
    already = num_dropped * shape.d_model
    return math.ceil(spec.model_cut * (shape.total_params + already)) - already

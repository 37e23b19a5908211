"""How deep a cut must be for an utterance to take no longer than a person wants on a device."""

import math

from adaptwin_core.domain.audio import FITTED_MARGIN_S
from adaptwin_core.domain.budgets import BYTES_PER_PARAM, DEEPEST_CUT
from adaptwin_core.domain.devices import DEVICES, UTTERANCE_S, DeviceName, needs_of
from adaptwin_core.domain.errors import InvalidSpec
from adaptwin_core.domain.shape import ModelShape
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.vocabulary import smallest_shape

STEPS = 100  # cuts are tried in hundredths of the deepest


def with_time(spec: CompressionSpec, shape: ModelShape, max_ms: float, device: DeviceName) -> CompressionSpec:
    """Return the settings with the smallest cut of all layers at which an utterance of 4 s takes at most `max_ms`.

    The time is estimated as in `devices.py`, for fitted windows.

    Args:
        shape: of the base model, with all tokens. The fewest that the job may keep count.

    Raises:
        InvalidSpec: even the deepest cut is slower.
    """
    kept = smallest_shape(spec, shape)
    layers = kept.encoder_params + kept.decoder_layer_params
    for step in range(STEPS + 1):
        share = DEEPEST_CUT * step / STEPS
        total = kept.total_params - share * layers
        needs = needs_of(
            kept,
            encoder_params=math.ceil((1 - share) * kept.encoder_params),
            total_params=math.ceil(total),
            weights_bytes=math.ceil(total * BYTES_PER_PARAM[spec.weights]),
            margin_s=FITTED_MARGIN_S,
        )
        if DEVICES[device].ms(needs) <= max_ms:
            size = {"encoder_cut": 0.0} if step == 0 else {"model_cut": 1 - total / shape.total_params}
            return CompressionSpec.model_validate({name: getattr(spec, name) for name in spec.model_fields_set} | size)
    raise InvalidSpec(
        f"this base model cannot take {max_ms:g} ms for {UTTERANCE_S:g} s of speech on a {device}: even at the deepest "
        f"cut it takes {DEVICES[device].ms(needs):.0f}. Take a smaller base model, more time, or weights of fewer bits"
    )

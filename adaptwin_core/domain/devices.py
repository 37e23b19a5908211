"""Devices by name, and a rough estimate of the time that a model takes there for an utterance of 4 s.

The encoder multiplies large matrices: its time is its multiply-adds over the rate of the processor. The decoder reads
its weights once for every token: its time is their bytes over the rate of the memory. This is the roofline model
(Williams, Waterman and Patterson 2009) with one point for each half.
"""

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from adaptwin_core.domain.audio import FRAMES_PER_S, WINDOW_S
from adaptwin_core.domain.shape import ModelShape

DeviceName = Literal["raspberry-pi-5", "phone", "laptop", "server"]
UTTERANCE_S: Final = 4.0
TOKENS: Final = 16  # of such an utterance: some 12 words, and the tokens that begin and end the text
# What CTranslate2 with 8 bits reaches on two cores of a server, by docs/latency.md: tiny.en takes 12 ms for the encoder
# of 4.5 s and 67 ms for the decoder.
REFERENCE_MACS_PER_S: Final = 1.4e11
REFERENCE_BYTES_PER_S: Final = 7.4e9


class Needs(NamedTuple):
    """What an utterance of 4 s takes."""

    encoder_macs: float  # multiply-adds
    decoder_bytes: float  # of weights that are read, over all tokens


@dataclass(frozen=True)
class Device:
    """A kind of device. `speed` is a judgement and not a measurement: how often as fast as the reference it is."""

    words: str
    max_bytes: int
    max_ms: float
    speed: float

    def ms(self, needs: Needs) -> float:
        """Return the estimated milliseconds for an utterance of 4 s."""
        reference_s = needs.encoder_macs / REFERENCE_MACS_PER_S + needs.decoder_bytes / REFERENCE_BYTES_PER_S
        return 1000 * reference_s / self.speed


DEVICES: Final[dict[DeviceName, Device]] = {
    "raspberry-pi-5": Device("up to 80 MB and 1.5 s", 80_000_000, 1500, speed=0.25),
    "phone": Device("up to 100 MB and 1 s", 100_000_000, 1000, speed=0.5),
    "laptop": Device("up to 500 MB and 1 s", 500_000_000, 1000, speed=2),
    "server": Device("up to 4 GB and 1 s", 4_000_000_000, 1000, speed=8),
}


def needs_of(
    shape: ModelShape, *, encoder_params: int, total_params: int, weights_bytes: int, margin_s: float | None
) -> Needs:
    """Return what a finished model takes for an utterance of 4 s.

    Args:
        shape: of the base model, with the tokens that are kept.
        encoder_params: of the finished model, and total_params: as well.
        margin_s: how long after the speech its windows end; None for whole windows.
    """
    window_s = WINDOW_S if margin_s is None else UTTERANCE_S + margin_s
    positions = window_s * FRAMES_PER_S / 2  # the encoder halves the frames
    attention = 2 * shape.encoder_layers * positions**2 * shape.d_model
    decoder_bytes = weights_bytes * (1 - encoder_params / total_params)
    return Needs(encoder_params * positions + attention, TOKENS * decoder_bytes)

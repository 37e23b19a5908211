"""What readers give the decoder: stretches of a file's samples. T sample frames in time, C channels."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

BLOCK_VALUES = 1 << 18  # that a block holds, about: handling fewer costs more


class Track(NamedTuple):
    """Which of a file's sound tracks is read, counted from 1."""

    number: int
    of: int


class Block(NamedTuple):
    """Samples in a row: float32 x_TC."""

    x_TC: npt.NDArray[np.float32]
    rate_hz: int
    track: Track = Track(1, 1)

"""Blocks of a file's samples, as readers give them to the decoder. T sample frames in time, C channels."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

BLOCK_VALUES = 1 << 18  # in a block, about; smaller blocks cost more to handle


class Track(NamedTuple):
    """Which of a file's sound tracks is read, counted from 1."""

    number: int
    of: int


class Block(NamedTuple):
    """Consecutive samples, float32 x_TC."""

    x_TC: npt.NDArray[np.float32]
    rate_hz: int
    track: Track = Track(1, 1)

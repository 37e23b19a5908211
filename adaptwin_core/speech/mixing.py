"""How a file's channels become one, and how loud full scale is: known only once the whole file was heard.

Shapes: T sample frames in time, C channels.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# Channels that add up, or know nothing of each other, leave the mean at least what the loudest alone would. With less
# than this share of that they cancel: one of them is wired the wrong way round.
_CANCELLED = 0.8
# Floats of up to 4 (+12 dB) come from loud mixes and field recorders; beyond, they are no longer meant to be of 1.
_MOST_OVER = 4.0
# Peak of the sound -> what full scale then is, of integers written as floats: 16, 24, 32 bits. Resampling overshoots.
_INTEGER_SCALES = ((2.0**8, 2.0**16, 2.0**15), (2.0**16, 2.0**24, 2.0**23), (2.0**24, 2.0**32, 2.0**31))


@dataclass(frozen=True)
class Mix:
    """`channel` is the one to take, None for the mean of all; `full_scale` is what samples are divided by."""

    channel: int | None = None
    full_scale: float = 1.0

    def apply(self, x_TC: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return x_TC of full scale 1, with the channels that are to be averaged."""
        if self.full_scale != 1.0:
            x_TC = x_TC / np.float32(self.full_scale)
        if self.channel is None or self.channel >= x_TC.shape[1]:
            return x_TC
        return x_TC[:, self.channel : self.channel + 1]


class Levels:
    """Takes the blocks of a file and keeps the power of each channel and of their mean, without their offsets."""

    def __init__(self) -> None:
        self._num = 0
        self._peak = 0.0
        self._sum_C: npt.NDArray[np.float64] | None = None
        self._square_C: npt.NDArray[np.float64] | None = None
        self._mean_square = 0.0
        self._is_even = True  # in its number of channels

    def add(self, x_TC: npt.NDArray[np.float32]) -> None:
        """Take one block."""
        if not len(x_TC):
            return
        self._peak = max(self._peak, float(np.abs(x_TC).max()))
        if x_TC.shape[1] == 1 and self._sum_C is None:
            return
        wide_TC = x_TC.astype(np.float64)
        if self._sum_C is None or self._square_C is None:
            self._sum_C, self._square_C = np.zeros(x_TC.shape[1]), np.zeros(x_TC.shape[1])
        if x_TC.shape[1] != len(self._sum_C):
            self._is_even = False
            return
        self._num += len(x_TC)
        self._sum_C += wide_TC.sum(axis=0)
        self._square_C += np.square(wide_TC).sum(axis=0)
        self._mean_square += float(np.square(wide_TC.mean(axis=1)).sum())

    def mix(self) -> Mix:
        """Return how the file is to be mixed."""
        return Mix(self._channel(), self._full_scale())

    def _channel(self) -> int | None:
        if self._sum_C is None or self._square_C is None or not self._num or not self._is_even:
            return None
        power_C = self._square_C / self._num - np.square(self._sum_C / self._num)
        mean_power = self._mean_square / self._num - (self._sum_C.mean() / self._num) ** 2
        loudest = int(np.argmax(power_C))
        alone = power_C[loudest] / len(power_C) ** 2
        return loudest if mean_power < _CANCELLED * alone else None

    def _full_scale(self) -> float:
        if self._peak <= _MOST_OVER:
            return 1.0
        scales = (scale for low, high, scale in _INTEGER_SCALES if low < self._peak <= high)
        return max(self._peak, next(scales, 0.0))

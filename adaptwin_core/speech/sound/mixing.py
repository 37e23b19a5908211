"""How the channels of a file become one, and what its full scale is. Both are known only once all of it is read.

Shapes: T sample frames in time, C channels.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# The sum of channels that are alike or unrelated has at least the power of the loudest one. If it has less than this
# share of that power, the channels cancel: one of them is wired the wrong way round.
_CANCELLED = 0.8
# Loud mixes and field recorders give floats of up to 4 (+12 dB). Larger floats have another full scale than 1.
_MOST_OVER = 4.0
# Integers of 16, 24 and 32 bits as floats: the peak is in this range, and full scale is then this. Resampling
# overshoots full scale, so each range reaches to twice of it.
_INTEGER_SCALES = ((2.0**8, 2.0**16, 2.0**15), (2.0**16, 2.0**24, 2.0**23), (2.0**24, 2.0**32, 2.0**31))


@dataclass(frozen=True)
class Mix:
    """`channel` is the channel to take, or None for the mean of all. `full_scale` is what samples are divided by."""

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
    """Takes the blocks of a file, and keeps its peak and the covariance of its channels."""

    def __init__(self) -> None:
        self._peak = 0.0
        self._num = 0
        self._sum_C: npt.NDArray[np.float64] | None = None
        self._product_CC: npt.NDArray[np.float64] | None = None
        self._is_even = True  # whether all blocks have the same number of channels

    def add(self, x_TC: npt.NDArray[np.float32]) -> None:
        """Take one block."""
        self._peak = max(self._peak, float(x_TC.max(initial=0.0)), -float(x_TC.min(initial=0.0)))
        if self._sum_C is None or self._product_CC is None:
            self._sum_C, self._product_CC = np.zeros(x_TC.shape[1]), np.zeros((x_TC.shape[1],) * 2)
        if x_TC.shape[1] != len(self._sum_C):
            self._is_even = False
        elif x_TC.shape[1] > 1:
            self._num += len(x_TC)
            self._sum_C += np.ones(len(x_TC), np.float32) @ x_TC
            self._product_CC += x_TC.T @ x_TC

    def mix(self) -> Mix:
        """Return how the file is to be mixed."""
        return Mix(self._channel(), self._full_scale())

    def _channel(self) -> int | None:
        if self._sum_C is None or self._product_CC is None or not self._num or not self._is_even:
            return None
        mean_C = self._sum_C / self._num
        covariance_CC = self._product_CC / self._num - np.outer(mean_C, mean_C)
        loudest = int(np.argmax(covariance_CC.diagonal()))
        # The variance of the sum of all channels is the sum of the covariances.
        return loudest if covariance_CC.sum() < _CANCELLED * covariance_CC[loudest, loudest] else None

    def _full_scale(self) -> float:
        if self._peak <= _MOST_OVER:
            return 1.0
        scales = (scale for low, high, scale in _INTEGER_SCALES if low < self._peak <= high)
        return max(self._peak, next(scales, 0.0))

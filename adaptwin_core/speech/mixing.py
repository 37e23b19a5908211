"""How a file's channels become one, and how loud full scale is: known only once the whole file was heard.

Shapes: T sample frames in time, C channels.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# Channels that add up, or know nothing of each other, have a sum of at least the loudest's power. With less than this
# share of it they cancel: one of them is wired the wrong way round.
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
    """Takes the blocks of a file and keeps its peak and the second moments of its channels, without their offsets."""

    def __init__(self) -> None:
        self._peak = 0.0
        self._num = 0
        self._sum_C: npt.NDArray[np.float64] | None = None
        self._product_CC: npt.NDArray[np.float64] | None = None
        self._is_even = True  # in its number of channels

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
        # Of the sum of all channels, beside that of the loudest alone.
        return loudest if covariance_CC.sum() < _CANCELLED * covariance_CC[loudest, loudest] else None

    def _full_scale(self) -> float:
        if self._peak <= _MOST_OVER:
            return 1.0
        scales = (scale for low, high, scale in _INTEGER_SCALES if low < self._peak <= high)
        return max(self._peak, next(scales, 0.0))

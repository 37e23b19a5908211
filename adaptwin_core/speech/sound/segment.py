"""Cuts long recordings at their quietest points into pieces that fit one Whisper window."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from adaptwin_core.domain.audio import SAMPLE_RATE_HZ, WINDOW_SAMPLES

Samples = npt.NDArray[np.int16]

_MAX_PIECE = 28 * SAMPLE_RATE_HZ
_MIN_PIECE = 14 * SAMPLE_RATE_HZ  # except for the last two, which share what is left
_MIN_LAST = 1 * SAMPLE_RATE_HZ
_HOP = SAMPLE_RATE_HZ // 50
_PAUSE_HOPS = 10  # a pause is the quietest 200 ms
_END_HOP = SAMPLE_RATE_HZ // 200
# Ends are quiet below a share of the peak. -46 dB is the noise of a room. If a recording is little over 30 s, they may
# be as loud as soft consonants (-30 dB), or as a codec's padding, into which the sound beside it spreads.
_ROOM, _SOFT, _PADDING = 1 / 200, 1 / 32, 1 / 10
_LITTLE = SAMPLE_RATE_HZ // 4  # more than the padding of any codec that is read
_SLACK = SAMPLE_RATE_HZ // 50  # since padding does not end with a hop


def pieces(blocks: Iterator[Samples]) -> Iterator[Samples]:
    """Cut a stream of samples into pieces of at most 28 s; a stream of at most 30 s stays whole.

    Args:
        blocks: consecutive samples, in blocks of any length.
    Yields:
        consecutive pieces that together are the stream. At most a minute and one block are in memory.
    """
    held = np.zeros(0, np.int16)
    whole = True
    for block in blocks:
        held = np.concatenate([held, block])
        while len(held) > 2 * _MAX_PIECE:
            cut, whole = _quietest(held, _MIN_PIECE, _MAX_PIECE), False
            yield held[:cut]
            held = held[cut:]
    while len(held) > (WINDOW_SAMPLES if whole else _MAX_PIECE):
        low = max(_MIN_LAST, len(held) - _MAX_PIECE)
        cut, whole = _quietest(held, low, min(_MAX_PIECE, len(held) - _MIN_LAST)), False
        yield held[:cut]
        held = held[cut:]
    if len(held):
        yield held


def fitting(samples: Samples, silence: int, *, is_coded: bool) -> tuple[int, int] | None:
    """Return where 30 s begin and end that leave out only quiet ends, or None if there are none.

    Args:
        samples: over 30 s of them.
        silence: a peak below which samples are quiet, however quiet the rest is.
        is_coded: a codec may have padded both ends.
    """
    over = len(samples) - WINDOW_SAMPLES
    peaks = np.abs(samples[: len(samples) // _END_HOP * _END_HOP].astype(np.int32)).reshape(-1, _END_HOP).max(axis=1)
    tail = len(samples) % _END_HOP  # shorter than a hop
    limits = [(_ROOM, 0)]
    if over <= _LITTLE:
        limits += [(_SOFT, 0)] + [(_PADDING, _SLACK)] * is_coded
    for share, slack in limits:
        is_loud = np.flatnonzero(peaks >= max(silence, share * peaks.max()))
        first, last = (int(is_loud[0]), int(is_loud[-1])) if len(is_loud) else (len(peaks), len(peaks) - 1)
        quiet_start, quiet_end = first * _END_HOP, (len(peaks) - 1 - last) * _END_HOP + tail
        if quiet_start + quiet_end + slack >= over:
            from_start = max(0, min(quiet_start, over - quiet_end))
            return from_start, from_start + WINDOW_SAMPLES
    return None


def _quietest(samples: Samples, low: int, high: int) -> int:
    """Return the middle of the quietest 200 ms between two sample positions."""
    num_hops = (high - low) // _HOP
    if num_hops <= _PAUSE_HOPS:
        return (low + high) // 2
    hops = samples[low : low + num_hops * _HOP].astype(np.float64).reshape(num_hops, _HOP)
    total = np.concatenate([[0.0], np.cumsum((hops**2).sum(axis=1))])
    quietest = int(np.argmin(total[_PAUSE_HOPS:] - total[:-_PAUSE_HOPS]))
    return low + (quietest + _PAUSE_HOPS // 2) * _HOP

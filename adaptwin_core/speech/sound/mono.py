"""Turns the blocks of a file into 16 kHz mono samples and sends them on. Only the decoder's process imports it.

Shapes: T sample frames in time, C channels.
"""

import numpy as np
import soxr

from adaptwin_core.domain.audio import SAMPLE_RATE_HZ
from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.speech.sound.blocks import Block, Track
from adaptwin_core.speech.sound.decoder_protocol import AUDIO, MAX_FRAME_BYTES, send_frame
from adaptwin_core.speech.sound.mixing import Levels, Mix

_MIN_RATE_HZ, _MAX_RATE_HZ = 4_000, 768_000  # a header that says 1 Hz would make days out of a megabyte
_CLIPPED = 0.9999  # of full scale


class MonoStream:
    """Takes the blocks of a file in turn, sends 16 kHz mono samples on, and counts what was in it."""

    def __init__(self, out: int, mix: Mix) -> None:
        self._out, self._mix = out, mix
        self.levels = Levels()
        self.track: Track | None = None
        self._rate_hz = 0
        self._resampler: soxr.ResampleStream | None = None
        self.num_frames = 0
        self.num_clipped = 0

    def push(self, block: Block) -> None:
        """Send one block on.

        Raises:
            InvalidAudio: not_finite, or a sample rate no speech has.
        """
        x_TC, rate_hz, self.track = block
        if not self._rate_hz:
            self._start(rate_hz)
        elif rate_hz != self._rate_hz:
            raise InvalidAudio("its sample rate changes midway; save it again with one rate", code="decode_failed")
        if not np.isfinite(x_TC).all():
            raise InvalidAudio("it holds NaN or infinite samples; export it again", code="not_finite")
        self.levels.add(x_TC)
        x_TC = self._mix.apply(x_TC)
        self.num_frames += len(x_TC)
        self.num_clipped += int((np.abs(x_TC) >= _CLIPPED).any(axis=1).sum())
        self._send(x_TC.mean(axis=1, dtype=np.float32), last=False)

    def finish(self) -> None:
        """Send what the resampler still holds."""
        if self._rate_hz:
            self._send(np.zeros(0, np.float32), last=True)

    def _start(self, rate_hz: int) -> None:
        if not _MIN_RATE_HZ <= rate_hz <= _MAX_RATE_HZ:
            raise InvalidAudio(f"its header says {rate_hz} samples a second; export it again", code="decode_failed")
        self._rate_hz = rate_hz
        if rate_hz != SAMPLE_RATE_HZ:
            self._resampler = soxr.ResampleStream(rate_hz, SAMPLE_RATE_HZ, 1, dtype="float32", quality="HQ")

    def _send(self, x_T: np.ndarray, *, last: bool) -> None:
        if self._resampler is not None:
            x_T = self._resampler.resample_chunk(x_T, last=last)
        samples = np.clip(np.rint(x_T * 32768.0), -32768, 32767).astype("<i2").tobytes()
        for start in range(0, len(samples), MAX_FRAME_BYTES):
            send_frame(self._out, AUDIO, samples[start : start + MAX_FRAME_BYTES])

"""The samples of one decoded file, kept until all of it proves usable."""

import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from adaptwin_core.domain.audio import SAMPLE_RATE_HZ, WINDOW_SAMPLES, seconds_of
from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.speech.sound.segment import Samples, fitting

MIN_S = 0.2
SILENCE_PEAK = 32  # of 32768, about -60 dB; below it nobody speaks

_IN_MEMORY_BYTES = 4 << 20  # two minutes
_BLOCK_BYTES = 10 * SAMPLE_RATE_HZ * 2  # ten seconds


class Recording:
    """Takes 16-bit 16 kHz mono samples in any portions, then gives them back from the start.

    Short ones stay in memory, long ones go to an unnamed file. Use as a context manager.
    """

    def __init__(self, spool_folder: Path) -> None:
        self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES, dir=str(spool_folder))  # noqa: SIM115  # closed by close
        self._sha = hashlib.sha256()
        self.peak = 0  # of 32768
        self.num_samples = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def append(self, data: bytes) -> None:
        samples = np.frombuffer(data, "<i2")
        self.peak = max(self.peak, peak(samples))
        self._sha.update(data)
        self._file.write(data)
        self.num_samples += len(samples)

    def restart(self) -> None:
        """Forget all samples."""
        self._file.seek(0)
        self._file.truncate()
        self._sha = hashlib.sha256()
        self.peak = self.num_samples = 0

    @property
    def seconds(self) -> float:
        return seconds_of(self.num_samples)

    @property
    def sha256(self) -> str:
        """SHA-256 of the decoded samples. It is the same for the same sound in two lossless files."""
        return self._sha.hexdigest()

    def check(self, *, is_nonspeech: bool) -> None:
        """Refuse what holds no speech.

        Args:
            is_nonspeech: a transcript says that nobody speaks, so silence is allowed.
        Raises:
            InvalidAudio: too_short or silent.
        """
        if self.seconds < MIN_S:
            raise InvalidAudio(f"it lasts {self.seconds:.2f} s; {MIN_S} s is the least", code="too_short")
        if self.peak < SILENCE_PEAK and not is_nonspeech:
            raise InvalidAudio("it is silent from start to end; check the microphone", code="silent")

    def leave_out_quiet_ends(self, *, is_coded: bool) -> bool:
        """Cut quiet ends off a recording of at most a minute, if it then fits one clip. Return whether it was cut."""
        if not WINDOW_SAMPLES < self.num_samples <= 2 * WINDOW_SAMPLES:
            return False
        samples = np.concatenate(list(self.blocks()))
        span = fitting(samples, SILENCE_PEAK, is_coded=is_coded)
        if span is None:
            return False
        self.restart()
        self.append(samples[slice(*span)].astype("<i2").tobytes())
        return True

    def blocks(self) -> Iterator[Samples]:
        """Yield all samples from the start, ten seconds at a time."""
        self._file.seek(0)
        while data := self._file.read(_BLOCK_BYTES):
            yield np.frombuffer(data, "<i2").astype(np.int16)


def peak(samples: Samples) -> int:
    """Return the largest magnitude, of 32768; 0 for no samples."""
    return max(abs(int(samples.max())), abs(int(samples.min()))) if len(samples) else 0

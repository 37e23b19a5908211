"""The FLAC files that a corpus's samples lie in, 16 kHz mono, and where in them each piece lies."""

from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import numpy as np
import numpy.typing as npt
import soundfile

from adaptwin_core.domain.audio import SAMPLE_RATE_HZ
from adaptwin_core.domain.digest import digest_file

_MAX_SHARD_SAMPLES = 600 * SAMPLE_RATE_HZ  # ten minutes


class Shard(TypedDict):
    name: str
    sha256: str
    bytes: int
    num_samples: int


@dataclass(frozen=True)
class Span:
    """A stretch of one shard."""

    shard: str
    start: int
    num_samples: int


class ShardWriter:
    """Appends samples to FLAC shards. A clip lies whole in one shard; no shard is longer than ten minutes."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._file: soundfile.SoundFile | None = None
        self._name = ""
        self._num_samples = 0
        self._shards: list[Shard] = []

    def append(self, samples: npt.NDArray[np.int16]) -> Span:
        """Write the samples of one clip, shape (num_samples,)."""
        file = self._file
        if file is None or self._num_samples + len(samples) > _MAX_SHARD_SAMPLES:
            file = self._next_shard()
        file.write(samples)
        span = Span(self._name, self._num_samples, len(samples))
        self._num_samples += len(samples)
        return span

    def finish(self) -> tuple[Shard, ...]:
        """Close the last shard and return all."""
        self.close()
        return tuple(self._shards)

    def close(self) -> None:
        """Close the shard being written, if any."""
        if self._file is None:
            return
        self._file.close()
        self._file = None
        path = self._out / self._name
        self._shards.append(
            Shard(
                name=self._name,
                sha256=digest_file(path),
                bytes=path.stat().st_size,
                num_samples=self._num_samples,
            )
        )

    def _next_shard(self) -> soundfile.SoundFile:
        self.close()
        self._name = f"shard-{len(self._shards):04d}.flac"
        self._num_samples = 0
        path = self._out / self._name
        self._file = soundfile.SoundFile(path, "w", SAMPLE_RATE_HZ, 1, subtype="PCM_16", format="FLAC")
        return self._file

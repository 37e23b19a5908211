"""The decoder's parent: hands files to a confined child process, one at a time, and takes samples back.

If the child crashes, hangs or answers wrongly, one file is lost, and the next file gets a new child. Only the samples
of the child are trusted: its frames are limited in size, number and time.
"""

import functools
import json
import logging
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.speech.limits import Limits
from adaptwin_core.speech.sound.child_process import ChildLostError, ChildProcess
from adaptwin_core.speech.sound.decoder_protocol import AGAIN, AUDIO, END, FRAME, MAX_FRAME_BYTES, REFUSED
from adaptwin_core.speech.sound.sniff import Container

_FILES_PER_CHILD = 500  # so that leaks of decoder libraries do not add up
_REFUSALS = frozenset({"decode_failed", "not_finite", "too_short"})
_MAX_REASON_CHARS = 300

log = logging.getLogger(__name__)


class Sink(Protocol):
    """Where the samples of a file go."""

    def append(self, data: bytes, /) -> None:
        """Take 16-bit little-endian 16 kHz mono samples as they come."""

    def restart(self) -> None:
        """Forget the samples so far. All of them come again."""


@dataclass(frozen=True)
class Decoded:
    """How one file's decoding ended."""

    clipped_share: float  # of the file's sample frames
    damaged: bool  # it broke off midway; what came before is good
    over_limit: bool = False  # stopped because it held more samples than allowed
    one_channel: bool = False  # its channels cancel each other: the loudest was taken alone
    rescaled: bool = False  # its samples were floats far beyond 1, and were divided by what is full scale for them
    track: int = 1  # of its sound tracks, the one that was read
    num_tracks: int = 1


class Decoder:
    """Decodes files in a confined child process. Use as a context manager, from one thread.

    The child dies with this thread's process.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._child: ChildProcess | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Kill the child, if there is one."""
        if self._child is not None:
            self._child.kill()
        self._child = None

    def decode(self, path: Path, container: Container, sink: Sink, *, max_samples: int) -> Decoded:
        """Decode one file into `sink`.

        Raises:
            InvalidAudio: decode_failed, not_finite or too_short. Samples may have reached `sink` before.
        """
        if self._child is None or self._child.num_served >= _FILES_PER_CHILD:
            self.close()
            self._child = ChildProcess(self._limits.max_decoder_bytes)
        ended = False
        try:
            self._child.ask(path, container, self._limits.max_file_cpu_s)
            decoded = self._listen(self._child, sink, max_samples)
            ended = isinstance(decoded, InvalidAudio) or not decoded.over_limit
        except ChildLostError as lost:
            raise InvalidAudio(f"the decoder {lost}; save the file in another format", code="decode_failed") from lost
        finally:
            if not ended:
                self.close()  # the child is gone, or in the middle of a file
        if isinstance(decoded, InvalidAudio):
            raise decoded
        return decoded

    def _listen(self, child: ChildProcess, sink: Sink, max_samples: int) -> Decoded | InvalidAudio:
        read = functools.partial(
            child.read,
            deadline=time.monotonic() + self._limits.max_file_wall_s,
            max_stall_s=self._limits.max_stall_s,
        )
        num_samples = 0
        may_restart = True
        while True:
            kind, num_bytes = FRAME.unpack(read(FRAME.size))
            if num_bytes > MAX_FRAME_BYTES or (kind == AUDIO and num_bytes % 2):
                raise ChildLostError("answered nonsense")
            payload = read(num_bytes)
            if kind == AGAIN and may_restart:
                num_samples, may_restart = 0, False
                sink.restart()
                continue
            if kind != AUDIO:
                return _ending(kind, payload)
            num_samples += num_bytes // 2
            if num_samples > max_samples:
                return Decoded(clipped_share=0.0, damaged=False, over_limit=True)
            sink.append(payload)


def _ending(kind: bytes, payload: bytes) -> Decoded | InvalidAudio:
    try:
        said = json.loads(payload)
        if kind == END:
            track, num_tracks = (int(number) for number in said["track"])
            return Decoded(
                clipped_share=int(said["num_clipped"]) / max(1, int(said["num_frames"])),
                damaged=bool(said["damaged"]),
                one_channel=bool(said["one_channel"]),
                rescaled=bool(said["rescaled"]),
                track=track,
                num_tracks=num_tracks,
            )
        if kind == REFUSED and said["code"] in _REFUSALS:
            if said["detail"]:
                log.info("a file was refused: %s", _printable(said["detail"]))
            return InvalidAudio(_printable(said["reason"]), code=said["code"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ChildLostError("answered nonsense") from error
    raise ChildLostError("answered nonsense")


def _printable(said: object) -> str:
    return "".join(c if c.isprintable() else " " for c in str(said))[:_MAX_REASON_CHARS]

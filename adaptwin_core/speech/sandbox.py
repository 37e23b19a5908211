"""The decoder's parent: hands files to a confined child process, one at a time, and takes samples back.

The child may crash, hang, lie or run away: that costs one file, and the next gets a fresh child.
Nothing the child says is trusted beyond its samples: frames are bounded, counted, and timed.
"""

import contextlib
import functools
import json
import logging
import os
import select
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.speech.decoder_protocol import AGAIN, AUDIO, END, FRAME, MAX_FRAME_BYTES, REFUSED, REQUEST
from adaptwin_core.speech.limits import Limits
from adaptwin_core.speech.sniff import Container

DECODER_COMMAND = (sys.executable, "-m", "adaptwin_core.speech.decoder_child")

_FILES_PER_CHILD = 500  # so that nothing a decoder library leaks can add up
_REFUSALS = frozenset({"decode_failed", "not_finite", "too_short"})
_MAX_REASON_CHARS = 300
_ROOT = Path(__file__).parents[2]

log = logging.getLogger(__name__)


class Sink(Protocol):
    """Where the samples of a file go."""

    def append(self, data: bytes, /) -> None:
        """Take 16-bit little-endian 16 kHz mono samples as they come."""

    def restart(self) -> None:
        """Forget them: they come once more, whole."""


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


class _ChildLostError(Exception):
    """The child crashed, hung, or spoke nonsense."""


class _Child:
    """One decoder process, and the two ways to it."""

    def __init__(self, max_bytes: int) -> None:
        self.num_served = 0
        self._requests, theirs = socket.socketpair()
        kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "LANG") if name in os.environ}
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  # our own interpreter and module
                [*DECODER_COMMAND, str(max_bytes)],
                stdin=theirs.fileno(),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # a hostile file could fill a log
                start_new_session=True,
                # No secrets; and one thread, as each of OpenBLAS's takes its share of the address space.
                env={**kept, "PYTHONPATH": str(_ROOT), "OPENBLAS_NUM_THREADS": "1"},
            )
        self._pipe = self._process.stdout.fileno() if self._process.stdout else -1
        self._poll = select.poll()
        self._poll.register(self._pipe, select.POLLIN)

    def kill(self) -> None:
        """End the child and whatever it may have started."""
        self._requests.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)  # its own session: the group is its alone
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()

    def ask(self, path: Path, container: Container, cpu_s: int) -> None:
        """Hand it one file, open."""
        self.num_served += 1
        with path.open("rb") as file:
            try:
                socket.send_fds(self._requests, [REQUEST.pack(container.encode(), cpu_s)], [file.fileno()])
            except OSError as error:
                raise _ChildLostError("died") from error

    def read(self, num_bytes: int, *, deadline: float, max_stall_s: float) -> bytes:
        """Return exactly that many bytes of its answer."""
        data = bytearray()
        while len(data) < num_bytes:
            wait_s = min(max_stall_s, deadline - time.monotonic())
            if wait_s <= 0 or not self._poll.poll(wait_s * 1000):
                raise _ChildLostError("took too long on it")
            chunk = os.read(self._pipe, num_bytes - len(data))
            if not chunk:
                raise _ChildLostError("crashed on it, or needed too much memory or time")
            data += chunk
        return bytes(data)


class Decoder:
    """Decodes files in a confined child process. Use as a context manager, from one thread.

    The child dies with this thread's process.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._child: _Child | None = None

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
            self._child = _Child(self._limits.max_decoder_bytes)
        ended = False
        try:
            self._child.ask(path, container, self._limits.max_file_cpu_s)
            decoded = self._listen(self._child, sink, max_samples)
            ended = isinstance(decoded, InvalidAudio) or not decoded.over_limit
        except _ChildLostError as lost:
            raise InvalidAudio(f"the decoder {lost}; save the file in another format", code="decode_failed") from lost
        finally:
            if not ended:
                self.close()  # the child is gone or in mid-file
        if isinstance(decoded, InvalidAudio):
            raise decoded
        return decoded

    def _listen(self, child: _Child, sink: Sink, max_samples: int) -> Decoded | InvalidAudio:
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
                raise _ChildLostError("answered nonsense")
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
        raise _ChildLostError("answered nonsense") from error
    raise _ChildLostError("answered nonsense")


def _printable(said: object) -> str:
    return "".join(c if c.isprintable() else " " for c in str(said))[:_MAX_REASON_CHARS]

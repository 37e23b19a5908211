"""The decoder's parent: hands files to a confined child process, one at a time, and takes samples back.

The child may crash, hang, lie or run away: that costs one file, and the next gets a fresh child.
Nothing the child says is trusted beyond its samples: frames are bounded, counted, and timed.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.speech.decoder_protocol import AUDIO, END, FRAME, MAX_FRAME_BYTES, REFUSED, REQUEST
from adaptwin_core.speech.limits import Limits
from adaptwin_core.speech.sniff import Container

DECODER_COMMAND = (sys.executable, "-m", "adaptwin_core.speech.decoder_child")

_FILES_PER_CHILD = 500  # so that nothing a decoder library leaks can add up
_REFUSALS = frozenset({"decode_failed", "not_finite", "too_short"})
_MAX_REASON_CHARS = 300
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Decoded:
    """How one file's decoding ended."""

    clipped_share: float  # of the file's sample frames
    damaged: bool  # it broke off midway; what came before is good
    over_limit: bool  # stopped because it held more samples than allowed


class _ChildLost(Exception):
    """The child crashed, hung, or spoke nonsense."""


class Decoder:
    """Decodes files in a confined child process. Use as a context manager.

    Not for use from several threads. The child dies with this process.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._child: subprocess.Popen[bytes] | None = None
        self._requests: socket.socket | None = None
        self._num_served = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Kill the child and whatever it may have started."""
        if self._requests is not None:
            self._requests.close()
        if self._child is not None:
            if self._child.poll() is None:
                os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait()
            if self._child.stdout is not None:
                self._child.stdout.close()
        self._child = self._requests = None

    def decode(self, path: Path, container: Container, sink: Callable[[bytes], None], *, max_samples: int) -> Decoded:
        """Decode one file; `sink` gets 16-bit little-endian 16 kHz mono samples as they come.

        Raises:
            InvalidAudio: decode_failed, not_finite or too_short. Samples may have reached `sink` before.
        """
        if self._child is None or self._num_served >= _FILES_PER_CHILD:
            self._start()
        self._num_served += 1
        try:
            return self._converse(path, container, sink, max_samples)
        except _ChildLost as lost:
            self.close()
            raise InvalidAudio(f"the decoder {lost}; save the file in another format", code="decode_failed") from lost
        except InvalidAudio:
            raise
        except BaseException:
            self.close()  # the child is in mid-file
            raise

    def _start(self) -> None:
        self.close()
        ours, theirs = socket.socketpair()
        kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "LANG") if name in os.environ}
        with theirs:
            self._child = subprocess.Popen(
                [*DECODER_COMMAND, str(self._limits.max_decoder_bytes)],
                stdin=theirs,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # a hostile file could fill a log
                start_new_session=True,
                # No secrets, and one thread: each thread of OpenBLAS would take its share of the address space.
                env={**kept, "PYTHONPATH": str(_ROOT), "OPENBLAS_NUM_THREADS": "1"},
            )
        self._requests = ours
        self._num_served = 0

    def _converse(self, path: Path, container: Container, sink: Callable[[bytes], None], max_samples: int) -> Decoded:
        assert self._requests is not None
        deadline = time.monotonic() + self._limits.max_file_wall_s
        request = REQUEST.pack(container.encode(), self._limits.max_file_cpu_s)
        with path.open("rb") as file:
            try:
                socket.send_fds(self._requests, [request], [file.fileno()])
            except OSError as error:
                raise _ChildLost("died") from error
        num_samples = 0
        while True:
            kind, num_bytes = FRAME.unpack(self._read(FRAME.size, deadline))
            if num_bytes > MAX_FRAME_BYTES or (kind == AUDIO and num_bytes % 2):
                raise _ChildLost("answered nonsense")
            payload = self._read(num_bytes, deadline)
            if kind != AUDIO:
                return _ending(kind, payload)
            num_samples += num_bytes // 2
            if num_samples > max_samples:
                self.close()
                return Decoded(clipped_share=0.0, damaged=False, over_limit=True)
            sink(payload)

    def _read(self, num_bytes: int, deadline: float) -> bytes:
        assert self._child is not None
        assert self._child.stdout is not None
        pipe = self._child.stdout.fileno()
        poll = select.poll()
        poll.register(pipe, select.POLLIN)
        data = bytearray()
        while len(data) < num_bytes:
            wait_s = min(self._limits.max_stall_s, deadline - time.monotonic())
            if wait_s <= 0 or not poll.poll(wait_s * 1000):
                raise _ChildLost("took too long on it")
            chunk = os.read(pipe, num_bytes - len(data))
            if not chunk:
                raise _ChildLost("crashed on it, or needed too much memory or time")
            data += chunk
        return bytes(data)


def _ending(kind: bytes, payload: bytes) -> Decoded:
    try:
        said = json.loads(payload)
        if kind == END:
            share = int(said["num_clipped"]) / max(1, int(said["num_frames"]))
            return Decoded(clipped_share=share, damaged=bool(said["damaged"]), over_limit=False)
        if kind == REFUSED and said["code"] in _REFUSALS:
            reason = "".join(c if c.isprintable() else " " for c in str(said["reason"]))[:_MAX_REASON_CHARS]
            raise InvalidAudio(reason, code=said["code"])
    except (ValueError, KeyError, TypeError) as error:
        raise _ChildLost("answered nonsense") from error
    raise _ChildLost("answered nonsense")

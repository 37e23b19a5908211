"""The parent's end of one decoder process: it starts, asks, reads with a deadline, and kills it."""

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from adaptwin_core.speech.sound.decoder_protocol import REQUEST
from adaptwin_core.speech.sound.sniff import Container

DECODER_COMMAND = (sys.executable, "-m", "adaptwin_core.speech.sound.decoder_child")

_ROOT = Path(__file__).parents[3]


class ChildLostError(Exception):
    """The child crashed, hung, or answered what the protocol does not allow."""


class ChildProcess:
    """One decoder process, with the socket that requests go to and the pipe that answers come from."""

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
                # No secrets. One thread, since each thread of OpenBLAS takes its share of the address space.
                env={**kept, "PYTHONPATH": str(_ROOT), "OPENBLAS_NUM_THREADS": "1"},
            )
        self._pipe = self._process.stdout.fileno() if self._process.stdout else -1
        self._poll = select.poll()
        self._poll.register(self._pipe, select.POLLIN)

    def kill(self) -> None:
        """End the child and whatever it may have started."""
        self._requests.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)  # it has its own session, so no other process is in its group
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
                raise ChildLostError("died") from error

    def read(self, num_bytes: int, *, deadline: float, max_stall_s: float) -> bytes:
        """Return exactly that many bytes of its answer."""
        data = bytearray()
        while len(data) < num_bytes:
            wait_s = min(max_stall_s, deadline - time.monotonic())
            if wait_s <= 0 or not self._poll.poll(wait_s * 1000):
                raise ChildLostError("took too long on it")
            chunk = os.read(self._pipe, num_bytes - len(data))
            if not chunk:
                raise ChildLostError("crashed on it, or needed too much memory or time")
            data += chunk
        return bytes(data)

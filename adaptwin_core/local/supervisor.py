"""Keeps a few processes running: it starts them, says when each is ready, restarts what dies, and stops them all."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

POLL_S = 0.2
STOP_GRACE_S = 10.0  # a task that is cut off comes back when its lease runs out, so waiting longer gains nothing
HEALTHY_S = 60.0  # a process that lived this long starts again without delay
MAX_BACKOFF_S = 30.0
_PR_SET_PDEATHSIG = 1

Say = Callable[[str], None]


@dataclass(frozen=True)
class Component:
    """One process. It counts as ready once its log holds `ready_text`."""

    name: str
    command: Sequence[str]
    ready_text: str
    env: Mapping[str, str] = field(default_factory=dict)


class _Running:
    """A component's current process and what became of the ones before."""

    def __init__(self, component: Component, log_dir: Path) -> None:
        self.component = component
        self.log = log_dir / f"{component.name}.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.is_ready = False
        self.num_failures = 0
        self.started_at = 0.0
        self.start_at = 0.0
        self.log_start = 0

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.log_start = log.tell()
            self.process = subprocess.Popen(  # noqa: S603  # our own commands
                list(self.component.command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.component.env},
                start_new_session=True,  # Ctrl-C reaches the supervisor alone, which then stops the others in order
                # safe: the supervisor has one thread
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
            )
        self.started_at = time.monotonic()
        self.is_ready = False

    def has_said_ready(self) -> bool:
        with self.log.open("rb") as log:
            log.seek(self.log_start)
            return self.component.ready_text.encode() in log.read()

    def signal(self, number: signal.Signals) -> None:
        """Signal the process and whatever it started."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)


def _die_with_parent() -> None:
    """Have Linux end this process when the supervisor is killed and can no longer do it."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Supervisor:
    """Runs components in order. Use as a context; leaving it stops them all."""

    def __init__(self, components: Sequence[Component], log_dir: Path, say: Say) -> None:
        log_dir.mkdir(parents=True, exist_ok=True)
        self._running = [_Running(component, log_dir) for component in components]
        self._say = say

    def __enter__(self) -> "Supervisor":
        for running in self._running:
            running.start()
        return self

    def __exit__(self, *_: object) -> None:
        for running in reversed(self._running):
            running.signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_GRACE_S
        for running in self._running:
            if running.process is not None:
                with suppress(subprocess.TimeoutExpired):
                    running.process.wait(max(0.0, deadline - time.monotonic()))
                running.signal(signal.SIGKILL)  # also what the process itself left behind in its session
                running.process.wait()

    @property
    def all_ready(self) -> bool:
        return all(running.is_ready for running in self._running)

    def watch(self) -> None:
        """Look at every process once: note those that became ready, start again those that died."""
        now = time.monotonic()
        for running in self._running:
            if running.process is None:
                if now >= running.start_at:
                    running.start()
            elif (code := running.process.poll()) is not None:
                self._note_death(running, code, now)
            elif not running.is_ready and running.has_said_ready():
                running.is_ready = True
                self._say(f"{running.component.name:<10} ready after {now - running.started_at:.1f} s")

    def _note_death(self, running: _Running, code: int, now: float) -> None:
        running.signal(signal.SIGKILL)
        running.process = None
        running.num_failures = 0 if now - running.started_at > HEALTHY_S else running.num_failures + 1
        delay_s = min(MAX_BACKOFF_S, 2.0**running.num_failures - 1)
        running.start_at = now + delay_s
        self._say(
            f"{running.component.name:<10} ended with code {code}; starts again in {delay_s:.0f} s (see {running.log})"
        )

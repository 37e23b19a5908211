"""Waiting for what other processes and threads do."""

import time
from collections.abc import Callable

POLL_S = 0.02


def wait_until(condition: Callable[[], object], within_s: float, what: str) -> None:
    """Ask until the condition holds; it is asked once more after the time is over.

    Raises:
        AssertionError: it never held.
    """
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {within_s} s")
        time.sleep(POLL_S)

"""Ends a command in one sentence when a signal stops it, or when the disk is full or refuses."""

import errno
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Never

import typer

from adaptwin_core.domain.errors import ResourceExhausted

_OF_THE_MACHINE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}


@contextmanager
def stoppable(left: str) -> Iterator[None]:
    """End on Ctrl-C or SIGTERM with one sentence, after everything inside has cleaned up.

    Args:
        left: what is left of the output, for the sentence.

    Raises:
        ResourceExhausted: the disk is full or refuses.
    """

    def stop(number: int, _frame: FrameType | None) -> Never:
        raise _Stopped(number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except _Stopped as stopped:
        typer.secho(f"adaptwin: stopped; {left}", err=True, fg=typer.colors.RED)
        raise typer.Exit(128 + stopped.number) from None
    except OSError as fault:
        if fault.errno not in _OF_THE_MACHINE:
            raise
        where = f" ({fault.filename})" if fault.filename else ""
        raise ResourceExhausted(f"{os.strerror(fault.errno or 0)}{where}; {left}") from fault
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Stopped(BaseException):
    """SIGINT or SIGTERM came."""

    def __init__(self, number: int) -> None:
        self.number = number

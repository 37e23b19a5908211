"""An event loop in a thread, and calls into it."""

import threading
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

from anyio.from_thread import BlockingPortal

P = ParamSpec("P")
T = TypeVar("T")


class Loop:
    def __init__(self, portal: BlockingPortal) -> None:
        self._portal = portal

    def run(self, work: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work(...)` in the loop, and return what it returns once it has ended.

        Ctrl-C reaches the calling thread only: it ends the work too.
        """
        has_ended = threading.Event()

        async def to_its_end() -> T:
            try:
                return await work(*args, **kwargs)
            finally:
                has_ended.set()

        future = self._portal.start_task_soon(to_its_end)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            has_ended.wait()
            raise

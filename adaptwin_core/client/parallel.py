"""Several pieces of work at a time."""

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

import anyio

T = TypeVar("T")


async def each(items: Iterable[T], work: Callable[[T], Awaitable[None]], num_parallel: int) -> None:
    """Work on every item, on so many at a time. The first that fails ends the others, and its error is raised."""
    waiting = iter(items)

    async def work_on() -> None:
        for item in waiting:
            await work(item)

    try:
        async with anyio.create_task_group() as group:
            for _ in range(num_parallel):
                group.start_soon(work_on)
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None

"""Work in a process of its own: its peak of memory is its own, it sees the device that it is to use, and it can be
stopped when its time is up.
"""

import json
import os
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal

from bench.runner import Row

Device = Literal["cpu", "cuda"]
Tell = Callable[[Row], None]


def in_own_process(work: Callable[..., None], *arguments: Any, device: Device, seconds: float, scratch: Path) -> Row:
    """Return the last row that `work(tell, *arguments)` told; `stopped_after_s` is added where its time was up.

    Raises:
        RuntimeError: the work failed; its traceback is on standard error.
    """
    told = scratch / "told.json"
    told.write_text("{}")
    process = get_context("spawn").Process(target=_do, args=(work, arguments, device, told))
    process.start()
    process.join(max(1.0, seconds))
    is_late = process.is_alive()
    if is_late:
        process.kill()
        process.join()
    elif process.exitcode != 0:
        raise RuntimeError(f"{work.__name__} failed on {device}, exit code {process.exitcode}")
    row: Row = json.loads(told.read_text())
    return row | ({"stopped_after_s": round(seconds)} if is_late else {})


def _do(work: Callable[..., None], arguments: tuple[Any, ...], device: Device, told: Path) -> None:
    if device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""

    def tell(row: Row) -> None:
        part = told.with_suffix(".part")
        part.write_text(json.dumps(row))
        part.replace(told)  # a process that is stopped leaves a whole row

    work(tell, *arguments)

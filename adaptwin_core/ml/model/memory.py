"""Freed memory is returned to the system between two steps."""

import ctypes
import gc
import sys


def give_back_freed() -> None:
    """Return freed memory to the system. glibc keeps pages that small live blocks pin: 1.5 GB after base is tuned."""
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
        if trim is not None:
            trim(0)

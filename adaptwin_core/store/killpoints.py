"""Named places where a test makes the process die as by `kill -9`: ADAPTWIN_KILL_AT=name:n, at the n-th pass."""

import os
from collections import Counter

EXIT_CODE = 137

_passes: Counter[str] = Counter()


def killpoint(name: str) -> None:
    """Do nothing, unless the environment says to die here."""
    wanted = os.environ.get("ADAPTWIN_KILL_AT")
    if not wanted:
        return
    at, _, nth = wanted.partition(":")
    if at == name:
        _passes[name] += 1
        if _passes[name] >= int(nth or 1):
            os._exit(EXIT_CODE)

"""Several files read as one."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def open_joined(paths: Sequence[Path]) -> io.BufferedReader:
    """Open files to be read one after the other, without a copy of them."""
    return io.BufferedReader(_Joined(paths))


class _Joined(io.RawIOBase):
    def __init__(self, paths: Sequence[Path]) -> None:
        self._files = [path.open("rb", buffering=0) for path in paths]

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as the present file goes; 0 says that the last one has ended."""
        while self._files:
            if num_bytes := self._files[0].readinto(buffer):
                return num_bytes
            self._files.pop(0).close()
        return 0

    def close(self) -> None:
        for file in self._files:
            file.close()
        super().close()

"""A network that breaks: a TCP proxy that breaks each of its connections after some bytes, drawn from a seed."""

import math
import random
import socket
import threading
from collections import Counter
from types import TracebackType
from typing import Self

BLOCK_BYTES = 1 << 14
FEWEST_BYTES, MOST_BYTES = 300, 300_000  # one way of a connection; each order of size is as likely
RESET = b"\x01\x00\x00\x00\x00\x00\x00\x00"  # SO_LINGER of no time: what is not sent yet is lost


class CuttingProxy:
    """Stands before a server of this machine.

    Attributes:
        is_cutting: Whether connections break at all. A test may set it at any time.
        cuts: How many connections were broken, by direction.
    """

    def __init__(self, port: int, seed: int, most_bytes: int = MOST_BYTES) -> None:
        self._port, self._random, self._most_bytes = port, random.Random(seed), most_bytes
        self.is_cutting = True
        self._lock = threading.Lock()
        self.cuts: Counter[str] = Counter()

    def __enter__(self) -> Self:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._port))
            for way, source, target in (("up", client, server), ("down", server, client)):
                threading.Thread(target=self._pass_on, args=(way, source, target, self._room()), daemon=True).start()

    def _room(self) -> int:
        return round(math.exp(self._random.uniform(math.log(FEWEST_BYTES), math.log(self._most_bytes))))

    def _pass_on(self, way: str, source: socket.socket, target: socket.socket, room: int) -> None:
        """Carry bytes one way until an end hangs up, or until there is no room for more of them."""
        try:
            while room > 0 or not self.is_cutting:
                data = source.recv(min(BLOCK_BYTES, room) if self.is_cutting else BLOCK_BYTES)
                if not data:
                    target.shutdown(socket.SHUT_WR)
                    return
                target.sendall(data)
                room -= len(data)
        except OSError:  # the other way was cut, or an end was
            pass
        else:
            with self._lock:
                self.cuts[way] += 1
        for end in (source, target):
            try:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
            finally:
                end.close()

"""A way to a server on which connections break: each is reset once it has carried some bytes."""

import random
import select
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_RESET = struct.pack("ii", 1, 0)


@dataclass
class CuttingProxy:
    """Listens on a port of its own, and passes on to another.

    Attributes:
        is_cutting: whether connections break at all; the test sets it.
        num_cut: how many have.
    """

    target: tuple[str, int]
    max_bytes: int  # a connection carries between none and so many, unless it ends before
    is_cutting: bool = True
    num_cut: int = 0
    _random: random.Random = field(default_factory=lambda: random.Random(0))

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def serve(self) -> None:
        """Take connections until the proxy is closed."""
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _pass_on(self, client: socket.socket) -> None:
        left = self._random.randint(0, self.max_bytes)
        server = socket.create_connection(self.target)
        peers = {client: server, server: client}
        try:
            while True:
                for ready in select.select(list(peers), [], [], 30)[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    left -= len(data)
                    if self.is_cutting and left < 0:
                        self.num_cut += 1
                        for each in peers:
                            each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                        return
                    peers[ready].sendall(data)
        except OSError:  # one side went away
            return
        finally:
            client.close()
            server.close()


@contextmanager
def cutting_proxy(port: int, *, max_bytes: int) -> Iterator[CuttingProxy]:
    """Run a proxy before a server of this machine until the context ends."""
    proxy = CuttingProxy(("127.0.0.1", port), max_bytes)
    thread = threading.Thread(target=proxy.serve, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join(5)

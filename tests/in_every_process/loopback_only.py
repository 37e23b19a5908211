"""No test reaches outside this machine: whatever asks for another one is refused before a packet leaves.

An audit hook sees what Python's own sockets do, in every library. `watch_children` brings it to the Python processes
that a test starts, but for those with an environment of their own.
"""

import os
import socket
import sys
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

# Servers that whoever runs the tests has named
_NAMED = {urlsplit(os.environ.get(name, "")).hostname for name in ("DATABASE_URL", "REDIS_URL")}
_HERE = {None, "", "localhost", socket.gethostname(), *_NAMED}
_FOLDER = Path(__file__).parent


class ReachedOutside(BaseException):
    """A test asked for another machine. No library's `except Exception` hides it."""


def _is_here(host: object) -> bool:
    host = host.decode() if isinstance(host, bytes) else host
    if host in _HERE:
        return True
    try:
        return ip_address(str(host).partition("%")[0]).is_loopback
    except ValueError:
        return False


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    match event:
        case "socket.connect" | "socket.sendto" | "socket.sendmsg":
            address = arguments[1]
            host = address[0] if isinstance(address, tuple) else None  # a socket in a file has a path
        case "socket.getaddrinfo" | "socket.gethostbyname" | "socket.gethostbyaddr":
            host = arguments[0]
        case _:
            return
    if not _is_here(host):
        raise ReachedOutside(f"{event}: {host!r} is not this machine; tests stay inside")


@cache
def watch() -> None:
    """Refuse in this process, from now until it ends."""
    sys.addaudithook(_refuse)


@cache
def watch_children() -> None:
    """Have the Python processes that this one starts import `sitecustomize` from here, and refuse too."""
    inherited = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys([str(_FOLDER), *filter(None, inherited)]))

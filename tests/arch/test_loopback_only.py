"""The guard that keeps the tests inside this machine holds, here and in the processes that tests start."""

import socket
import subprocess
import sys

import httpx
import pytest
from loopback_only import ReachedOutside

ELSEWHERE = "192.0.2.1"  # an address for documentation, which belongs to nobody


def test_no_socket_connects_to_another_machine() -> None:
    with socket.socket() as connection, pytest.raises(ReachedOutside, match=ELSEWHERE):
        connection.connect((ELSEWHERE, 80))
    with socket.socket(type=socket.SOCK_DGRAM) as letter, pytest.raises(ReachedOutside, match=ELSEWHERE):
        letter.sendto(b"", (ELSEWHERE, 53))


def test_no_name_of_another_machine_is_looked_up() -> None:
    with pytest.raises(ReachedOutside, match=r"example\.com"):
        httpx.get("https://example.com")


def test_this_machine_can_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as connection:
        assert connection.getpeername() == server.getsockname()


def test_a_process_that_a_test_starts_is_kept_inside_too() -> None:
    script = f"import socket; socket.create_connection(({ELSEWHERE!r}, 80), timeout=5)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "ReachedOutside" in done.stderr

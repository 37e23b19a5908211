"""One request to a receiver: it goes to the address that was checked, and nowhere else."""

import socket
import threading
import time
from ipaddress import ip_address

import anyio
import httpcore
import httpx
import pytest

from adaptwin_core.service import webhook_request
from adaptwin_core.service.webhook_request import post
from adaptwin_core.service.webhook_targets import Target
from tests.receiving import receiving

HERE = ip_address("127.0.0.1")
NOBODY = ip_address("127.0.0.9")
NAME = "hooks.example.com"  # the tests' guard refuses to look it up


def sent(url: str, *addresses: str, body: bytes = b"{}") -> int:
    found = tuple(map(ip_address, addresses)) or (HERE,)
    return anyio.run(post, Target(httpx.URL(url), found), {"x-test": "1"}, body)


def test_the_name_is_kept_and_never_looked_up_again() -> None:
    with receiving() as receiver:
        assert sent(f"http://{NAME}:{receiver.port}/in?x=1", body=b"words") == 204
    (request,) = receiver.received
    assert (request.path, request.body) == ("/in?x=1", b"words")
    assert (request.headers["Host"], request.headers["x-test"]) == (f"{NAME}:{receiver.port}", "1")


def test_an_ipv6_address_is_in_brackets_in_the_host_header() -> None:
    with receiving() as receiver:
        assert sent(f"http://[2606:4700::1111]:{receiver.port}/in") == 204
    assert receiver.received[0].headers.get_all("Host") == [f"[2606:4700::1111]:{receiver.port}"]


def test_tls_is_asked_for_the_name() -> None:
    hello = b""

    def listen() -> None:
        nonlocal hello
        connection, _ = server.accept()
        with connection:
            hello = connection.recv(4096)

    with socket.create_server(("127.0.0.1", 0)) as server:
        listener = threading.Thread(target=listen)
        listener.start()
        with pytest.raises(httpcore.ConnectError):
            sent(f"https://{NAME}:{server.getsockname()[1]}/")
        listener.join(10)
    assert NAME.encode() in hello  # the server name is in clear


def test_a_redirect_is_not_followed() -> None:
    with receiving() as elsewhere, receiving(302) as receiver:
        receiver.headers["Location"] = elsewhere.url
        assert sent(receiver.url) == 302
    assert elsewhere.received == []


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as proxy, receiving() as receiver:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert sent(receiver.url) == 204
    assert (len(receiver.received), len(proxy.received)) == (1, 0)


def test_another_address_is_tried_where_one_does_not_answer() -> None:
    with receiving() as receiver:
        url = f"http://{NAME}:{receiver.port}/in"
        assert sent(url, str(NOBODY), str(HERE)) == 204
        with pytest.raises(httpcore.ConnectError):
            sent(url, str(NOBODY), "127.0.0.8")


def test_an_answer_that_never_ends_is_left_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_request, "DEADLINE_S", 0.5)

    def drip() -> None:
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            for _ in range(100):
                try:
                    connection.sendall(b"x-more: 1\r\n")
                except OSError:
                    return
                time.sleep(0.05)

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=drip, daemon=True).start()
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            sent(f"http://127.0.0.1:{server.getsockname()[1]}/")
        assert time.monotonic() - began < 3


def test_a_long_answer_is_not_read() -> None:
    def pour() -> None:
        nonlocal num_sent
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
            try:
                while True:
                    num_sent += connection.send(bytes(1 << 16))
            except OSError:
                return

    num_sent = 0
    with socket.create_server(("127.0.0.1", 0)) as server:
        pouring = threading.Thread(target=pour)
        pouring.start()
        assert sent(f"http://127.0.0.1:{server.getsockname()[1]}/") == 200
        pouring.join(10)
    assert num_sent < 100_000_000

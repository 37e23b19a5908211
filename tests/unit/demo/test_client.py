"""The demo's client against servers that misbehave."""

import hashlib
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bench.demo import client
from bench.demo.client import Service, ServiceError

DATA = bytes(range(256)) * 8192  # 2 MiB
SHA256 = hashlib.sha256(DATA).hexdigest()
PROBLEM = b'{"code": "not_found", "detail": "there is no such thing"}'


class Flaky(BaseHTTPRequestHandler):
    """Cuts each download after 1 MiB; sends events over connections that break off after one."""

    ranges: list[str]

    def do_GET(self) -> None:
        if self.path.endswith("/events"):
            self.send_event(int(self.headers["Last-Event-ID"]) + 1)
        elif "/files/" in self.path:
            self.send_part()
        else:
            self.reply(404, PROBLEM, {"Content-Type": "application/problem+json"})

    def send_part(self) -> None:
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        self.ranges.append(self.headers.get("Range", ""))
        start = int(match[1]) if match else 0
        self.send_response(206 if match else 200)
        self.send_header("Content-Length", str(len(DATA) - start))
        self.end_headers()
        self.wfile.write(DATA[start : start + (1 << 20)])
        self.close_connection = True

    def send_event(self, number: int) -> None:
        body = f'event: task\nid: {number}\ndata: {{"id": {number}}}\n\n'.encode()
        length = len(body) + (0 if number == 3 else 10)  # only the third ends as announced
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's word
        pass


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setattr(client, "RETRY_S", 0.01)
    Flaky.ranges = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Flaky) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Service(f"http://127.0.0.1:{server.server_port}", "key")
        server.shutdown()


def test_a_download_that_breaks_off_goes_on_and_is_checked(service: Service, tmp_path: Path) -> None:
    sizes: list[int] = []
    service.download("mdl", "model.safetensors", SHA256, tmp_path / "in" / "model.safetensors", sizes.append)
    assert (tmp_path / "in" / "model.safetensors").read_bytes() == DATA
    assert Flaky.ranges == ["", "bytes=1048576-"]
    assert sum(sizes) == len(DATA)


def test_other_bytes_than_the_manifest_names_are_refused(service: Service, tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="SHA-256"):
        service.download("mdl", "model.safetensors", "0" * 64, tmp_path / "model.safetensors", lambda _: None)
    assert not (tmp_path / "model.safetensors").exists()


def test_events_go_on_after_the_last_one_seen(service: Service) -> None:
    assert [event["id"] for event in service.events("job")] == [1, 2, 3]


def test_a_problem_document_becomes_the_error(service: Service) -> None:
    with pytest.raises(ServiceError, match="not_found: there is no such thing"):
        service.call("GET", "/v1/nothing")


def test_a_dead_server_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "RETRY_S", 0.01)
    with pytest.raises(ServiceError, match="does not answer"):
        Service("http://127.0.0.1:9", "key").call("GET", "/v1/jobs")

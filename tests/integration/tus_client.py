"""tus by hand, for what a well-behaved client never does."""

import base64
import hashlib
import socket
from pathlib import Path

import httpx

from tests.integration.conftest import ApiProcess, Principal
from tests.waiting import wait_until

TUS = {"Tus-Resumable": "1.0.0"}
BYTES = {**TUS, "Content-Type": "application/offset+octet-stream"}


def metadata(**values: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in values.items())


def checksum(data: bytes, name: str = "sha256") -> str:
    return f"{name} {base64.b64encode(hashlib.new(name, data).digest()).decode()}"


def new_dataset(who: Principal, name: str = "speaker") -> str:
    answer = who.client.post("/v1/datasets", json={"name": name})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def create(who: Principal, dataset_id: str, length: int, name: str = "a.wav", **headers: str) -> httpx.Response:
    headers = {**TUS, "Upload-Length": str(length), "Upload-Metadata": metadata(dataset=dataset_id, filename=name)} | {
        key.replace("_", "-"): value for key, value in headers.items()
    }
    return who.client.post("/v1/uploads", headers=headers)


def created(who: Principal, dataset_id: str, length: int, name: str = "a.wav") -> str:
    """Create an upload and return its path."""
    answer = create(who, dataset_id, length, name)
    assert answer.status_code == 201, answer.text
    return answer.headers["location"]


def patch(who: Principal, path: str, offset: int, data: bytes, **headers: str) -> httpx.Response:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return who.client.patch(path, headers={**BYTES, "Upload-Offset": str(offset), **named}, content=data)


def offset_of(who: Principal, path: str) -> int:
    answer = who.client.head(path, headers=TUS)
    assert answer.status_code == 200, answer.status_code
    assert answer.headers["cache-control"] == "no-store"
    return int(answer.headers["upload-offset"])


def upload(who: Principal, dataset_id: str, data: bytes, name: str = "a.wav") -> str:
    """Upload a whole file and return its path."""
    path = created(who, dataset_id, len(data), name)
    if data:
        assert patch(who, path, 0, data).status_code == 204
    return path


class RawPatch:
    """A PATCH whose bytes leave when the test says so, and which may simply vanish."""

    def __init__(self, api: ApiProcess, who: Principal, path: str, offset: int, length: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", api.port), timeout=20)
        lines = [
            f"PATCH {path} HTTP/1.1",
            "Host: localhost",
            f"Authorization: Bearer {who.token}",
            "Tus-Resumable: 1.0.0",
            "Content-Type: application/offset+octet-stream",
            f"Upload-Offset: {offset}",
            f"Content-Length: {length}",
        ]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def wait_until_read(self) -> None:
        """Wait until the server has taken every byte: what still lies in its socket would vanish with a cut."""
        here, there = (f":{port:04X}" for port in (self.socket.getsockname()[1], self.socket.getpeername()[1]))

        def nothing_waits() -> bool:
            rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
            ours = [row[4] for row in rows if {row[1][-5:], row[2][-5:]} == {here, there}]
            return bool(ours) and all(int(queue, 16) == 0 for queues in ours for queue in queues.split(":"))

        wait_until(nothing_waits, 10, "the reading of what was sent")

    def status(self) -> int:
        """Return the answer's status."""
        head = b""
        while b"\r\n" not in head:
            chunk = self.socket.recv(4096)
            assert chunk, "the server hung up without an answer"
            head += chunk
        return int(head.split()[1])

    def cut(self) -> None:
        """Vanish with a reset, as a lost network does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        self.socket.close()

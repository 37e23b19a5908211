"""Files that come as a plain form, as curl sends them: all of a request are stored, or none."""

import asyncio
import errno
import hashlib
import os
import shutil
import socket
import subprocess
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select
from starlette.requests import Request

from adaptwin_core.domain.errors import ResourceExhausted
from adaptwin_core.local.servers import ServerUrls
from adaptwin_core.service.upload_writer import Writers
from adaptwin_core.store.blobs import BlobRef
from adaptwin_core.store.tables import Upload
from api.form_files import FORM_BYTES, receive_files
from api.form_parts import MAX_FILES
from tests.integration.conftest import ApiProcess, Principal, start_api
from tests.integration.tus_client import created, new_dataset, patch, upload
from tests.service_under_test import get_blobs, service, unit_of_work
from tests.waiting import wait_until

MIB = 1 << 20


def send(who: Principal, dataset_id: str, *files: tuple[str, bytes]) -> httpx.Response:
    return who.client.post(
        f"/v1/datasets/{dataset_id}/files", files=[("file", (name, data, "audio/wav")) for name, data in files]
    )


def send_raw(
    who: Principal, dataset_id: str, body: bytes, kind: str = "multipart/form-data; boundary=b"
) -> httpx.Response:
    return who.client.post(f"/v1/datasets/{dataset_id}/files", content=body, headers={"Content-Type": kind})


def part(name: str, data: bytes, file_name: str | None = "a.wav") -> bytes:
    told = f'; filename="{file_name}"' if file_name is not None else ""
    return f'--b\r\nContent-Disposition: form-data; name="{name}"{told}\r\n\r\n'.encode() + data + b"\r\n"


def stored(who: Principal, shown: dict[str, str]) -> bytes:
    return get_blobs().fetch(shown["sha256"], scope=who.scope.tenant_id).read_bytes()


def shown_uploads(who: Principal, dataset_id: str) -> list[dict[str, str]]:
    uploads: list[dict[str, str]] = who.client.get(f"/v1/datasets/{dataset_id}").json()["uploads"]
    return uploads


def assert_nothing_is_left(api: ApiProcess, who: Principal, dataset_id: str) -> None:
    assert shown_uploads(who, dataset_id) == []
    assert list((api.data_dir / "uploads").glob("*")) == []
    with unit_of_work() as session:
        assert session.scalar(select(func.count()).where(Upload.state == "open")) == 0


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_curl_sends_several_files(api: ApiProcess, owner: Principal, dataset_id: str, tmp_path: Path):
    data = {"day1.wav": os.urandom(3 * MIB), 'a "naïve" – 語;.txt': b"words", "empty.wav": b""}
    command = ["curl", "-sS", "--fail-with-body", "-H", f"Authorization: Bearer {owner.token}"]
    for index, (name, content) in enumerate(data.items()):
        (tmp_path / str(index)).write_bytes(content)
        quoted = name.replace('"', '\\"')
        command += ["-F", f'file=@{tmp_path / str(index)};filename="{quoted}"']
    done = subprocess.run([*command, f"{api.url}/v1/datasets/{dataset_id}/files"], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout
    shown = shown_uploads(owner, dataset_id)
    assert [(each["file_name"], each["state"]) for each in shown] == [(name, "complete") for name in data]
    assert [stored(owner, each) for each in shown] == list(data.values())
    assert list((api.data_dir / "uploads").glob("*")) == []
    assert owner.client.post(f"/v1/datasets/{dataset_id}/seal").status_code == 202


def test_the_answer_tells_what_is_stored(owner: Principal, dataset_id: str):
    answer = send(owner, dataset_id, ("a.wav", b"abc"), ("b.wav", b"abc"))
    assert answer.status_code == 201
    told = answer.json()["uploads"]
    assert [(each["file_name"], each["length"], each["offset"]) for each in told] == [("a.wav", 3, 3), ("b.wav", 3, 3)]
    assert {each["sha256"] for each in told} == {hashlib.sha256(b"abc").hexdigest()}
    assert told == shown_uploads(owner, dataset_id)


def test_the_smallest_pieces_of_a_body_make_the_same_files(owner: Principal, dataset_id: str):
    data = b"\r\n--b--\r--b\r\n-" * 3  # what looks like a boundary, and is none
    body = part("file", data.replace(b"--b", b"-b")) + b"--b--\r\n"
    answer = owner.client.post(
        f"/v1/datasets/{dataset_id}/files",
        content=(body[i : i + 1] for i in range(len(body))),
        headers={"Content-Type": "multipart/form-data; boundary=b"},
    )
    assert answer.status_code == 201, answer.text
    assert stored(owner, answer.json()["uploads"][0]) == data.replace(b"--b", b"-b")


def test_what_is_no_form_of_files_is_refused_with_what_to_do(api: ApiProcess, owner: Principal, dataset_id: str):
    good = part("file", b"abc")
    end = b"--b--\r\n"
    form = "multipart/form-data; boundary="
    cases: list[tuple[bytes, str, int, str]] = [
        (good + end, "application/json", 415, "send the files as multipart/form-data, with curl: -F file=@day1.wav"),
        (good + end, "multipart/form-data", 400, "names no boundary"),
        (good + end, form + "other", 400, "the form cannot be read"),
        (good + end, form + "x" * 300, 400, "the form cannot be read"),
        (b"abc", form + "b", 400, "the form cannot be read"),
        (b"", form + "b", 400, "the form ends before its last boundary"),
        (good, form + "b", 400, "the form ends before its last boundary"),
        (end, form + "b", 422, "body.file: must be given: send at least one file, with curl: -F file=@day1.wav"),
        (part("file", b"a.wav", None) + end, form + "b", 422, "body.file: is no file: write @ before its name"),
        (part("files", b"abc") + end, form + "b", 422, "unknown field files: did you mean file?"),
        (good + part("name", b"Ada", None) + end, form + "b", 422, "unknown field name: only file may be given here"),
        (part("file", b"abc", "") + end, form + "b", 400, "give a filename of 1 to 1024 bytes"),
        (part("file", b"abc", "x" * 1025) + end, form + "b", 400, "give a filename of 1 to 1024 bytes"),
        (part("file", b"abc", "a\x01b") + end, form + "b", 400, "control characters"),
    ]
    for body, kind, status, told in cases:
        answer = send_raw(owner, dataset_id, body, kind)
        assert (answer.status_code, told in answer.json()["detail"]) == (status, True), (body, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
    assert_nothing_is_left(api, owner, dataset_id)


def test_one_refused_file_refuses_all(api: ApiProcess, owner: Principal, dataset_id: str):
    path = upload(owner, dataset_id, b"whole", "b.wav")
    answer = send(owner, dataset_id, ("a.wav", b"abc"), ("b.wav", b"abc"))
    assert (answer.status_code, answer.json()["code"]) == (409, "duplicate_file_name")
    assert [each["file_name"] for each in shown_uploads(owner, dataset_id)] == ["b.wav"]
    assert list((api.data_dir / "uploads").glob("*")) == []
    assert send(owner, dataset_id, ("a.wav", b"abc"), ("./a.wav", b"abc")).json()["code"] == "duplicate_file_name"
    assert owner.client.delete(path, headers={"Tus-Resumable": "1.0.0"}).status_code == 204
    assert send(owner, dataset_id, ("a.wav", b"abc"), ("b.wav", b"abc")).status_code == 201


def test_a_dataset_that_takes_no_files_takes_none(owner: Principal, stranger: Principal, dataset_id: str):
    assert send(stranger, dataset_id, ("a.wav", b"abc")).status_code == 404
    assert send(owner, dataset_id, ("a.wav", b"abc")).status_code == 201
    assert owner.client.post(f"/v1/datasets/{dataset_id}/seal").status_code == 202
    assert send(owner, dataset_id, ("b.wav", b"abc")).json()["code"] == "dataset_sealed"
    assert owner.client.delete(f"/v1/datasets/{dataset_id}").status_code == 204
    assert send(owner, dataset_id, ("b.wav", b"abc")).status_code == 410


def test_too_large_a_form_names_tus(api: ApiProcess, owner: Principal, dataset_id: str):
    with socket.create_connection(("127.0.0.1", api.port), timeout=10) as raw:
        head = [
            f"POST /v1/datasets/{dataset_id}/files HTTP/1.1",
            *("Host: localhost", f"Authorization: Bearer {owner.token}", f"Content-Length: {FORM_BYTES + 1}"),
            "Content-Type: multipart/form-data; boundary=b",
        ]
        raw.sendall("\r\n".join([*head, "", ""]).encode())
        told = ""
        while not told.endswith("}"):  # not one byte of the body was sent
            received = raw.recv(65536)
            assert received, told
            told += received.decode()
    assert told.startswith("HTTP/1.1 413")
    assert "tuspy or tus-js-client" in told
    begin, block = part("file", b"")[:-2], bytes(MIB)
    endless = httpx.post(
        f"{api.url}/v1/datasets/{dataset_id}/files",
        content=(begin if i == 0 else block for i in range(FORM_BYTES // MIB + 3)),
        headers=owner.headers | {"Content-Type": "multipart/form-data; boundary=b"},
        timeout=60,
    )
    assert (endless.status_code, endless.json()["code"]) == (413, "body_too_large")
    assert "tus" in endless.json()["detail"]
    assert_nothing_is_left(api, owner, dataset_id)


def test_quotas_and_the_largest_file_hold(owner: Principal, dataset_id: str, servers: ServerUrls, api: ApiProcess):
    small = start_api(servers, api.data_dir, ADAPTWIN_TENANT_QUOTA_BYTES="5000", ADAPTWIN_MAX_UPLOAD_BYTES="3000")
    try:
        with httpx.Client(base_url=small.url, headers=owner.headers) as client:
            limited = Principal(owner.scope, owner.token, client)
            assert send(limited, dataset_id, ("a.wav", bytes(3000))).status_code == 201
            assert send(limited, dataset_id, ("b.wav", bytes(3001))).status_code == 413
            over = send(limited, dataset_id, ("c.wav", bytes(1000)), ("d.wav", bytes(1001)))
            assert (over.status_code, over.json()["code"]) == (413, "quota_exceeded")
            assert send(limited, dataset_id, ("e.wav", bytes(1500))).status_code == 201
            assert [each["file_name"] for each in shown_uploads(limited, dataset_id)] == ["a.wav", "e.wav"]
    finally:
        small.stop()


@pytest.mark.parametrize("sent", [10, 5 * MIB, 9 * MIB])
def test_nothing_is_left_of_a_form_that_breaks_off(api: ApiProcess, owner: Principal, dataset_id: str, sent: int):
    body = part("file", bytes(6 * MIB), "a.wav") + part("file", bytes(6 * MIB), "b.wav") + b"--b--\r\n"
    raw = socket.create_connection(("127.0.0.1", api.port), timeout=20)
    head = [
        f"POST /v1/datasets/{dataset_id}/files HTTP/1.1",
        *("Host: localhost", f"Authorization: Bearer {owner.token}", f"Content-Length: {len(body)}"),
        "Content-Type: multipart/form-data; boundary=b",
    ]
    raw.sendall("\r\n".join([*head, "", ""]).encode() + body[:sent])
    if sent > MIB:
        wait_until(lambda: shown_uploads(owner, dataset_id), 10, "the first file")
        assert owner.client.post(f"/v1/datasets/{dataset_id}/seal").json()["code"] == "uploads_incomplete"
    raw.close()
    wait_until(lambda: not shown_uploads(owner, dataset_id), 10, "the end of what broke off")
    wait_until(lambda: not list((api.data_dir / "uploads").glob("*")), 10, "the removal of its bytes")
    assert send_raw(owner, dataset_id, body).status_code == 201


def test_a_form_counts_whole_or_not_at_all_when_the_server_dies(api: ApiProcess, servers: ServerUrls, owner: Principal):
    for point, is_kept in (("upload_synced:2", False), ("upload_stored:2", False), ("form_committed:1", True)):
        dataset_id = new_dataset(owner)
        mortal = start_api(servers, api.data_dir, ADAPTWIN_KILL_AT=point)
        with httpx.Client(base_url=mortal.url, headers=owner.headers) as client:
            doomed = Principal(owner.scope, owner.token, client)
            with pytest.raises(httpx.TransportError):
                send(doomed, dataset_id, ("a.wav", b"abc"), ("b.wav", b"abcd"))
        assert mortal.process.wait(5) == 137
        states = {each["state"] for each in shown_uploads(owner, dataset_id)}
        assert states == ({"complete"} if is_kept else {"open"})
        sealed = owner.client.post(f"/v1/datasets/{dataset_id}/seal")
        assert (sealed.status_code == 202) == is_kept


def test_a_form_goes_through_in_flat_memory(api: ApiProcess, owner: Principal, dataset_id: str):
    assert send(owner, dataset_id, ("warm-up.wav", bytes(MIB))).status_code == 201
    block = os.urandom(MIB)
    body = [part("file", b"", "long.wav")[:-2], *[block] * 95, b"\r\n--b--\r\n"]
    with api.growing_less_than(40 * MIB):
        answer = owner.client.post(
            f"/v1/datasets/{dataset_id}/files",
            content=iter(body),
            headers={"Content-Type": "multipart/form-data; boundary=b", "Content-Length": str(sum(map(len, body)))},
        )
    assert answer.status_code == 201, answer.text
    assert answer.json()["uploads"][0]["sha256"] == hashlib.sha256(block * 95).hexdigest()


def request_of(*chunks: bytes, then: Callable[[], Awaitable[None]] | None = None) -> Request:
    """Return a request with a form, whose body ends with these chunks or waits for `then`."""
    messages: list[dict[str, Any]] = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]

    async def receive() -> Any:
        if messages:
            return messages.pop(0)
        if then is not None:
            await then()
        return {"type": "http.request", "body": b"", "more_body": False}

    headers = [(b"content-type", b"multipart/form-data; boundary=b")]
    return Request({"type": "http", "method": "POST", "headers": headers}, receive)


def test_nothing_is_left_of_a_form_that_is_cancelled(api: ApiProcess, owner: Principal, dataset_id: str):
    async def cancelled() -> None:
        has_come, never = asyncio.Event(), asyncio.Event()

        async def stall() -> None:
            has_come.set()
            await never.wait()

        request = request_of(part("file", b"abc") + part("file", b"de", "b.wav"), then=stall)
        task = asyncio.create_task(receive_files(service(), request, owner.scope, dataset_id))
        await has_come.wait()
        assert [each["file_name"] for each in shown_uploads(owner, dataset_id)] == ["a.wav", "b.wav"]
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert_nothing_is_left(api, owner, dataset_id)


class FullBlobs:
    """Blobs whose disk is full after the first file."""

    def __init__(self) -> None:
        self.num_put = 0

    def put(self, *paths: Path, scope: str) -> BlobRef:
        self.num_put += 1
        if self.num_put > 1:
            raise OSError(errno.ENOSPC, "no space left on device")
        return get_blobs().put(*paths, scope=scope)


def test_nothing_is_left_of_a_form_that_cannot_be_stored(api: ApiProcess, owner: Principal, dataset_id: str):
    uploads = replace(service().uploads, blobs=FullBlobs())
    doomed = replace(service(), uploads=uploads, writers=Writers(uploads))
    request = request_of(part("file", b"one") + part("file", b"two", "b.wav") + b"--b--\r\n")
    with pytest.raises(ResourceExhausted) as refused:
        asyncio.run(receive_files(doomed, request, owner.scope, dataset_id))
    assert refused.value.code == "disk_full"
    assert not get_blobs().exists(hashlib.sha256(b"one").hexdigest(), scope=owner.scope.tenant_id)
    assert_nothing_is_left(api, owner, dataset_id)


def test_a_form_of_very_many_files_is_refused(api: ApiProcess, owner: Principal, dataset_id: str):
    body = b"".join(part("file", b"", f"{number}.wav") for number in range(MAX_FILES + 1)) + b"--b--\r\n"
    answer = send_raw(owner, dataset_id, body)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "too_many")
    assert "holds more than 1000 files: send the rest in further requests" in answer.json()["detail"]
    assert_nothing_is_left(api, owner, dataset_id)


def test_a_form_and_tus_meet_at_a_name(owner: Principal, dataset_id: str):
    path = created(owner, dataset_id, 3, "a.wav")
    assert send(owner, dataset_id, ("a.wav", b"abc")).json()["code"] == "duplicate_file_name"
    assert patch(owner, path, 0, b"abc").status_code == 204

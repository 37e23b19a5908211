"""Files in parts (tus concatenation): what is claimed is safe, joined once, and nobody else's."""

import hashlib
import os
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, update

from adaptwin_core.domain.errors import ResourceExhausted
from adaptwin_core.local.servers import ServerUrls
from adaptwin_core.service import sweeper
from adaptwin_core.service.upload_joiner import lock_key
from adaptwin_core.service.upload_writer import SEGMENT_BYTES
from adaptwin_core.store.blobs import BlobRef
from adaptwin_core.store.queries import uploads as rows
from adaptwin_core.store.tables import Upload
from tests.integration.conftest import ApiProcess, Principal, start_api
from tests.integration.tus_client import (
    BYTES,
    TUS,
    RawPatch,
    checksum,
    create,
    metadata,
    new_dataset,
    offset_of,
    patch,
    upload,
)
from tests.service_under_test import changed, get_blobs, service, unit_of_work
from tests.waiting import wait_until

MIB = 1 << 20


def part(who: Principal, data: bytes, *, num_sent: int | None = None) -> str:
    """Make a partial upload, send its bytes or some of them, and return its path."""
    answer = who.client.post(
        "/v1/uploads", headers={**TUS, "Upload-Length": str(len(data)), "Upload-Concat": "partial"}
    )
    assert answer.status_code == 201, answer.text
    path: str = answer.headers["location"]
    sent = data[:num_sent]
    if sent:
        assert patch(who, path, 0, sent).status_code == 204
    return path


def final(who: Principal, dataset_id: str, paths: Sequence[str], name: str = "a.wav", **headers: str) -> httpx.Response:
    named = {
        "Upload-Concat": f"final;{' '.join(paths)}",
        "Upload-Metadata": metadata(dataset=dataset_id, filename=name),
    }
    return who.client.post("/v1/uploads", headers=TUS | named | {k.replace("_", "-"): v for k, v in headers.items()})


def joined(who: Principal, dataset_id: str, paths: Sequence[str], name: str = "a.wav") -> str:
    """Make a final upload, wait until it is joined, and return its path."""
    answer = final(who, dataset_id, paths, name)
    assert answer.status_code == 201, answer.text
    path: str = answer.headers["location"]
    wait_until(lambda: "upload-offset" in who.client.head(path, headers=TUS).headers, 10, "the joining")
    return path


def row(path: str) -> Upload:
    with unit_of_work() as session:
        return session.get_one(Upload, path.rsplit("/", 1)[1])


def stored(who: Principal, path: str) -> bytes:
    found = row(path)
    assert found.state == "complete"
    return get_blobs().fetch(found.sha256 or "", scope=who.scope.tenant_id).read_bytes()


def in_flight(api: ApiProcess) -> list[str]:
    folder = api.data_dir / "uploads"
    return sorted(entry.name for entry in folder.iterdir()) if folder.exists() else []


def test_parts_become_one_file(api: ApiProcess, owner: Principal, dataset_id: str):
    data = [os.urandom(3 * MIB), b"", os.urandom(17)]
    paths = [part(owner, each) for each in data]
    assert owner.client.get(f"/v1/datasets/{dataset_id}").json()["uploads"] == []
    path = joined(owner, dataset_id, [f"{api.url}{paths[0]}", *paths[1:]], "day1/rainy day.wav")
    assert stored(owner, path) == b"".join(data)
    told = owner.client.head(path, headers=TUS).headers
    assert (told["upload-offset"], told["upload-length"]) == (str(3 * MIB + 17),) * 2
    assert told["upload-concat"] == f"final;{api.url}{paths[0]} {paths[1]} {paths[2]}"  # as it came
    assert told["upload-metadata"] == metadata(dataset=dataset_id, filename="day1/rainy day.wav")
    assert "upload-expires" not in told
    [shown] = owner.client.get(f"/v1/datasets/{dataset_id}").json()["uploads"]
    assert (shown["file_name"], shown["state"], shown["length"]) == ("day1/rainy day.wav", "complete", 3 * MIB + 17)
    wait_until(lambda: not in_flight(api), 10, "the removal of the parts")
    assert owner.client.post(f"/v1/datasets/{dataset_id}/seal").status_code == 202


def test_the_order_is_that_of_the_request(owner: Principal, dataset_id: str):
    first, second = part(owner, b"abc"), part(owner, b"def")
    assert stored(owner, joined(owner, dataset_id, [second, first])) == b"defabc"


def test_empty_parts_make_an_empty_file(owner: Principal, dataset_id: str):
    assert stored(owner, joined(owner, dataset_id, [part(owner, b""), part(owner, b"")])) == b""


def test_a_part_is_an_upload_like_others(api: ApiProcess, owner: Principal):
    path = part(owner, b"abcdef", num_sent=3)
    told = owner.client.head(path, headers=TUS).headers
    assert (told["upload-offset"], told["upload-length"], told["upload-concat"]) == ("3", "6", "partial")
    assert "upload-expires" in told
    assert "upload-metadata" not in told
    assert patch(owner, path, 2, b"def").status_code == 409
    assert patch(owner, path, 3, b"def", Upload_Checksum=checksum(b"other")).status_code == 460
    assert patch(owner, path, 3, b"def", Upload_Checksum=checksum(b"def")).status_code == 204
    assert "upload-expires" in owner.client.head(path, headers=TUS).headers  # until it is claimed
    assert in_flight(api) == [path.rsplit("/", 1)[1]]
    assert owner.client.delete(path, headers=TUS).status_code == 204
    assert owner.client.head(path, headers=TUS).status_code == 410
    assert in_flight(api) == []


def test_the_first_bytes_of_a_part_may_come_with_its_creation(owner: Principal, dataset_id: str):
    headers = {**BYTES, "Upload-Length": "3", "Upload-Concat": "partial"}
    made = owner.client.post("/v1/uploads", headers=headers, content=b"abc")
    assert (made.status_code, made.headers["upload-offset"]) == (201, "3")
    assert stored(owner, joined(owner, dataset_id, [made.headers["location"]])) == b"abc"


def test_a_part_expires_with_its_bytes(api: ApiProcess, owner: Principal, dataset_id: str):
    path = part(owner, b"abc")
    with unit_of_work() as session:
        session.execute(update(Upload).values(expires_at=func.now()))
    assert owner.client.head(path, headers=TUS).status_code == 410
    assert final(owner, dataset_id, [path]).status_code == 410
    assert service().eraser.erase(service().database) == 2  # the row, and the file of its bytes
    assert (in_flight(api), row(path).state) == ([], "aborted")


def test_parts_count_towards_the_quota_once(owner: Principal, dataset_id: str):
    path = part(owner, b"abc")
    part(owner, b"de")
    with unit_of_work() as session:
        assert rows.totals(session, owner.scope) == (2, 5)
    joined(owner, dataset_id, [path])
    with unit_of_work() as session:
        assert rows.totals(session, owner.scope) == (1, 5)


def test_quotas_hold_for_parts(api: ApiProcess, servers: ServerUrls, owner: Principal, dataset_id: str):
    small = start_api(servers, api.data_dir, ADAPTWIN_TENANT_QUOTA_BYTES="10", ADAPTWIN_MAX_UPLOAD_BYTES="6")
    try:
        with httpx.Client(base_url=small.url, headers=owner.headers) as client:
            who = Principal(owner.scope, owner.token, client)
            paths = [part(who, b"abcd"), part(who, b"efgh")]
            over = who.client.post("/v1/uploads", headers={**TUS, "Upload-Length": "3", "Upload-Concat": "partial"})
            assert (over.status_code, over.json()["code"]) == (413, "quota_exceeded")
            too_large = final(who, dataset_id, paths)
            assert (too_large.status_code, too_large.json()["code"]) == (413, "upload_too_large")
            assert final(who, dataset_id, paths[:1]).status_code == 201
    finally:
        small.stop()


def test_nobody_joins_the_parts_of_another(owner: Principal, stranger: Principal, dataset_id: str):
    theirs, path = new_dataset(stranger), part(owner, b"abc")
    taken = final(stranger, theirs, [path])
    never = final(stranger, theirs, ["/v1/uploads/up_00000000000000000000000000"])
    assert (taken.status_code, never.status_code) == (404, 404)
    assert taken.json()["detail"].rsplit(" ", 1)[0] == never.json()["detail"].rsplit(" ", 1)[0]
    assert final(stranger, dataset_id, [part(stranger, b"abc")]).status_code == 404
    assert (row(path).state, row(path).final_id) == ("open", None)
    assert stored(owner, joined(owner, dataset_id, [path])) == b"abc"


def test_a_bad_final_upload_changes_nothing(owner: Principal, dataset_id: str):
    good, half, whole = part(owner, b"abc"), part(owner, b"abc", num_sent=2), upload(owner, dataset_id, b"x", "x.wav")
    never, gone = "/v1/uploads/up_00000000000000000000000000", part(owner, b"abc")
    owner.client.delete(gone, headers=TUS)
    cases: list[tuple[list[str], dict[str, str], int]] = [
        ([good], {"Upload_Length": "3"}, 400),
        ([good], {"Upload_Metadata": ""}, 400),
        ([good], {"Upload_Metadata": metadata(dataset=dataset_id)}, 400),
        ([good], {"Upload_Metadata": metadata(dataset=dataset_id, filename="x.wav")}, 409),
        ([good], {"Upload_Metadata": metadata(dataset=dataset_id.replace("ds_", "ds_0")[:29], filename="b.wav")}, 404),
        ([good, good], {}, 400),
        ([], {}, 400),
        (["nonsense"], {}, 400),
        ([good, "ftp://h/v1/uploads/up_00000000000000000000000000"], {}, 400),
        ([good, whole], {}, 400),
        ([good, half], {}, 409),
        ([good, never], {}, 404),
        ([good, gone], {}, 410),
    ]
    for paths, headers, status in cases:
        answer = final(owner, dataset_id, paths, **headers)
        assert answer.status_code == status, (paths, headers, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        assert (row(good).state, row(good).final_id) == ("open", None)
    named = {"Upload-Concat": f"final;{good}", "Upload-Metadata": metadata(dataset=dataset_id, filename="a.wav")}
    assert owner.client.post("/v1/uploads", headers=BYTES | named, content=b"abc").status_code == 400
    assert create(owner, dataset_id, 3, Upload_Concat="some").status_code == 400
    with unit_of_work() as session:
        assert session.scalar(select(func.count()).where(Upload.dataset_id.is_not(None))) == 1


def test_a_final_upload_takes_no_bytes(owner: Principal, dataset_id: str):
    path = joined(owner, dataset_id, [part(owner, b"abc")])
    for offset, data in ((0, b"abc"), (3, b""), (3, b"d")):
        answer = patch(owner, path, offset, data)
        assert (answer.status_code, answer.json()["code"]) == (403, "final_upload")
    assert stored(owner, path) == b"abc"


def test_a_repeated_request_gets_the_upload_that_it_made(owner: Principal, dataset_id: str):
    paths = [part(owner, b"abc"), part(owner, b"def")]
    made = joined(owner, dataset_id, paths)
    assert [offset_of(owner, path) for path in paths] == [3, 3]  # as a client finds them that lost the answer
    again = final(owner, dataset_id, paths)
    assert (again.status_code, again.headers["location"]) == (201, made)
    assert final(owner, dataset_id, paths, "b.wav").status_code == 409  # its parts are used
    assert final(owner, dataset_id, [part(owner, b"ghi")]).json()["code"] == "duplicate_file_name"
    assert owner.client.delete(made, headers=TUS).status_code == 204
    assert final(owner, dataset_id, paths).status_code == 409
    assert stored(owner, joined(owner, dataset_id, [part(owner, b"ghi")])) == b"ghi"


def test_a_deleted_final_upload_leaves_no_bytes(api: ApiProcess, owner: Principal, dataset_id: str):
    paths = [part(owner, b"abc"), part(owner, b"def")]
    path = joined(owner, dataset_id, paths)
    sha256 = row(path).sha256 or ""
    assert owner.client.delete(path, headers=TUS).status_code == 204
    assert not get_blobs().exists(sha256, scope=owner.scope.tenant_id)
    assert in_flight(api) == []
    for each in paths:
        assert owner.client.delete(each, headers=TUS).status_code == 204


def _claimed(who: Principal, dataset_id: str, paths: Sequence[str], name: str = "a.wav") -> str:
    """Have parts claimed, and not yet joined, as when the process dies in between; return the final upload's path."""
    with unit_of_work() as session:
        concat = f"final;{' '.join(paths)}"
        made = service().parts.join(session, who.scope, dataset_id=dataset_id, file_name=name, concat=concat)
    return f"/v1/uploads/{made.id}"


def test_claimed_parts_are_kept_until_they_are_joined(api: ApiProcess, owner: Principal, dataset_id: str):
    paths = [part(owner, b"abc"), part(owner, b"def")]
    path = _claimed(owner, dataset_id, paths)
    with unit_of_work() as session:
        session.execute(update(Upload).where(Upload.final_id.is_not(None)).values(expires_at=func.now()))
    for each in paths:
        refused = owner.client.delete(each, headers=TUS)
        assert (refused.status_code, "delete that one" in refused.json()["detail"]) == (409, True)
        assert row(each).state == "complete"
    service().eraser.erase(service().database)
    assert len(in_flight(api)) == 2
    first = owner.client.head(path, headers=TUS).headers
    assert ("upload-offset" in first, first["upload-length"]) == (False, "6")
    wait_until(lambda: "upload-offset" in owner.client.head(path, headers=TUS).headers, 10, "the joining")
    assert stored(owner, path) == b"abcdef"


def test_sealing_is_put_off_until_the_parts_are_joined(owner: Principal, dataset_id: str):
    path = _claimed(owner, dataset_id, [part(owner, b"abc"), part(owner, b"def")])
    refused = owner.client.post(f"/v1/datasets/{dataset_id}/seal")
    assert (refused.status_code, refused.json()["code"]) == (409, "uploads_being_stored")
    assert refused.headers["retry-after"] == "5"
    assert "still being stored: a.wav. Seal again" in refused.json()["detail"]
    assert row(path).state == "open"  # a sealing copies nothing
    assert service().joiner.join(owner.scope, path.rsplit("/", 1)[1]) is not None
    assert owner.client.post(f"/v1/datasets/{dataset_id}/seal").status_code == 202
    assert stored(owner, path) == b"abcdef"


class SlowBlobs:
    """Blobs of which one is being stored until the test lets it be."""

    def __init__(self) -> None:
        self.has_begun, self.may_end = threading.Event(), threading.Event()

    def put(self, *paths: Path, scope: str) -> BlobRef:
        ref = get_blobs().put(*paths, scope=scope)
        self.has_begun.set()
        assert self.may_end.wait(30)
        return ref

    def __getattr__(self, name: str) -> Any:
        return getattr(get_blobs(), name)


@pytest.fixture
def slow() -> Iterator[SlowBlobs]:
    blobs = SlowBlobs()
    yield blobs
    blobs.may_end.set()


def _join_slowly(who: Principal, path: str, slow: SlowBlobs) -> threading.Thread:
    """Begin to join an upload in a thread; return once that is under way."""
    joiner = replace(service().joiner, uploads=replace(service().uploads, blobs=slow))
    thread = threading.Thread(target=joiner.join, args=(who.scope, path.rsplit("/", 1)[1]))
    thread.start()
    assert slow.has_begun.wait(10)
    return thread


def test_nobody_waits_for_a_join(api: ApiProcess, owner: Principal, dataset_id: str, slow: SlowBlobs):
    path = _claimed(owner, dataset_id, [part(owner, b"abc"), part(owner, b"def")])
    other = upload(owner, dataset_id, b"other", "b.wav")
    thread = _join_slowly(owner, path, slow)
    began = time.monotonic()
    refused = owner.client.post(f"/v1/datasets/{dataset_id}/seal")
    assert (refused.status_code, refused.json()["code"]) == (409, "uploads_being_stored")
    assert service().joiner.join(owner.scope, path.rsplit("/", 1)[1]) is None  # one process is enough
    assert owner.client.delete(other, headers=TUS).status_code == 204
    assert not get_blobs().exists(hashlib.sha256(b"other").hexdigest(), scope=owner.scope.tenant_id)
    assert time.monotonic() - began < 5  # a lock would be given up after 15 s
    slow.may_end.set()
    thread.join()
    assert stored(owner, path) == b"abcdef"
    assert owner.client.post(f"/v1/datasets/{dataset_id}/seal").status_code == 202


@pytest.mark.parametrize("what", ["upload", "dataset"])
def test_what_is_deleted_during_its_join_leaves_no_bytes(
    what: str, api: ApiProcess, owner: Principal, dataset_id: str, slow: SlowBlobs
):
    path = _claimed(owner, dataset_id, [part(owner, b"abc"), part(owner, b"def")])
    thread = _join_slowly(owner, path, slow)
    began = time.monotonic()
    deleted = path if what == "upload" else f"/v1/datasets/{dataset_id}"
    assert owner.client.delete(deleted, headers=TUS).status_code == 204
    assert time.monotonic() - began < 5
    slow.may_end.set()
    thread.join()
    service().eraser.erase(service().database)
    assert (row(path).state, row(path).sha256) == ("aborted", None)
    assert not get_blobs().exists(hashlib.sha256(b"abcdef").hexdigest(), scope=owner.scope.tenant_id)
    assert in_flight(api) == []


def test_a_join_that_loses_its_bytes_to_erasure_stores_them_again(owner: Principal, dataset_id: str, slow: SlowBlobs):
    path = _claimed(owner, dataset_id, [part(owner, b"abc"), part(owner, b"def")])
    equal = upload(owner, dataset_id, b"abcdef", "b.wav")
    thread = _join_slowly(owner, path, slow)
    assert owner.client.delete(equal, headers=TUS).status_code == 204  # nothing else stands on that blob yet
    slow.may_end.set()
    thread.join()
    assert row(path).state == "open"
    assert service().joiner.join(owner.scope, path.rsplit("/", 1)[1]) is not None
    assert stored(owner, path) == b"abcdef"


def test_nothing_is_joined_where_the_disk_has_no_room(owner: Principal, dataset_id: str):
    path = _claimed(owner, dataset_id, [part(owner, b"abc"), part(owner, b"def")])
    with changed(min_free_disk_bytes=1 << 60):
        with pytest.raises(ResourceExhausted, match="has no room for this file"):
            service().joiner.join(owner.scope, path.rsplit("/", 1)[1])
        assert (swept := sweeper.sweep(service())) is not None
        assert swept.num_joined == 0
    assert not get_blobs().exists(hashlib.sha256(b"abcdef").hexdigest(), scope=owner.scope.tenant_id)
    assert sweeper.sweep(service()).num_joined == 1


def test_claimed_parts_that_the_disk_lost_are_named_by_the_sealing(api: ApiProcess, owner: Principal, dataset_id: str):
    paths = [part(owner, b"abc"), part(owner, b"def")]
    _claimed(owner, dataset_id, paths)
    os.truncate(api.data_dir / "uploads" / paths[1].rsplit("/", 1)[1], 1)
    refused = owner.client.post(f"/v1/datasets/{dataset_id}/seal")
    assert (refused.status_code, refused.json()["code"]) == (409, "uploads_incomplete")
    assert (swept := sweeper.sweep(service())) is not None
    assert swept.num_joined == 0


def test_a_sweep_joins_one_upload(owner: Principal, dataset_id: str):
    paths = [_claimed(owner, dataset_id, [part(owner, name.encode())], name) for name in ("a.wav", "b.wav")]
    for num_open in (1, 0):
        assert (swept := sweeper.sweep(service())) is not None
        assert swept.num_joined == 1
        assert [row(path).state for path in paths].count("open") == num_open


def test_other_sweeps_go_on_during_a_join(owner: Principal, dataset_id: str, slow: SlowBlobs):
    _claimed(owner, dataset_id, [part(owner, b"abc"), part(owner, b"def")])
    doing = replace(service(), joiner=replace(service().joiner, uploads=replace(service().uploads, blobs=slow)))
    thread = threading.Thread(target=sweeper.sweep, args=(doing,))
    thread.start()
    assert slow.has_begun.wait(10)
    assert sweeper.sweep(service()) is not None
    slow.may_end.set()
    thread.join()


def test_the_sweeper_joins_what_a_killed_process_left(api: ApiProcess, owner: Principal, dataset_id: str):
    path = _claimed(owner, dataset_id, [part(owner, b"abc"), part(owner, b"def")])
    with service().database.alone(lock_key(path.rsplit("/", 1)[1])) as is_free:  # a request is at it
        assert is_free
        assert (swept := sweeper.sweep(service())) is not None
        assert swept.num_joined == 0
    assert row(path).state == "open"
    assert (swept := sweeper.sweep(service())) is not None
    assert swept.num_joined == 1
    assert stored(owner, path) == b"abcdef"
    assert in_flight(api) == []


def test_a_given_up_final_upload_lets_its_parts_go(api: ApiProcess, owner: Principal, dataset_id: str):
    path = _claimed(owner, dataset_id, [part(owner, b"abc"), part(owner, b"def")])
    assert owner.client.delete(path, headers=TUS).status_code == 204
    assert in_flight(api) == []


def test_lost_bytes_of_a_part_are_not_joined(api: ApiProcess, owner: Principal, dataset_id: str):
    path = part(owner, b"abcdef")
    os.truncate(api.data_dir / "uploads" / path.rsplit("/", 1)[1], 4)  # as a disk that lied about fsync
    refused = final(owner, dataset_id, [path])
    assert (refused.status_code, refused.json()["code"]) == (409, "uploads_incomplete")
    assert offset_of(owner, path) == 4
    assert patch(owner, path, 4, b"ef").status_code == 204
    assert stored(owner, joined(owner, dataset_id, [path])) == b"abcdef"


@pytest.mark.parametrize("point", ["parts_claimed", "upload_stored"])
def test_a_claimed_file_survives_a_death(
    point: str, api: ApiProcess, servers: ServerUrls, owner: Principal, dataset_id: str
):
    data = [os.urandom(1000), os.urandom(500)]
    paths = [part(owner, each) for each in data]
    mortal = start_api(servers, api.data_dir, ADAPTWIN_KILL_AT=f"{point}:1")
    with httpx.Client(base_url=mortal.url, headers=owner.headers) as client:
        assert final(Principal(owner.scope, owner.token, client), dataset_id, paths).status_code == 201
    assert mortal.process.wait(5) == 137
    assert stored(owner, joined(owner, dataset_id, paths)) == b"".join(data)  # the client asks again


def test_parts_whose_connections_break_go_on_side_by_side(api: ApiProcess, owner: Principal, dataset_id: str):
    data = [os.urandom(6 * MIB) for _ in range(3)]
    paths = [part(owner, each, num_sent=0) for each in data]
    raws = [RawPatch(api, owner, path, 0, 6 * MIB) for path in paths]
    for index, raw in enumerate(raws):
        raw.send(data[index][: SEGMENT_BYTES + index * MIB // 2 + 1])
    for raw in raws:
        raw.wait_until_read()
        raw.cut()
    for path, each in zip(paths, data, strict=True):

        def is_sent(path: str = path, each: bytes = each) -> bool:
            offset = offset_of(owner, path)
            return patch(owner, path, offset, each[offset:]).status_code == 204

        wait_until(is_sent, 10, "the end of the part")
    assert stored(owner, joined(owner, dataset_id, paths)) == b"".join(data)

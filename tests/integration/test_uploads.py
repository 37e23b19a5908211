"""tus 1.0 against the running API: by a stock client, and by clients that do everything wrong."""

import hashlib
import os
import resource
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select, update
from tusclient.client import TusClient

from adaptwin_core.domain.errors import ResourceExhausted
from adaptwin_core.service import sweeper
from adaptwin_core.service.upload_writer import SEGMENT_BYTES
from adaptwin_core.store.queries import blobs
from adaptwin_core.store.tables import Upload
from tests.integration.conftest import ApiProcess, Principal
from tests.integration.tus_client import (
    BYTES,
    TUS,
    RawPatch,
    checksum,
    create,
    created,
    metadata,
    new_dataset,
    offset_of,
    patch,
    upload,
)
from tests.service_under_test import changed, get_blobs, get_settings, service, unit_of_work
from tests.waiting import wait_until

MIB = 1 << 20


def _row(path: str) -> Upload:
    with unit_of_work() as session:
        return session.get_one(Upload, path.rsplit("/", 1)[1])


def _stored(who: Principal, path: str) -> bytes:
    row = _row(path)
    assert row.state == "complete"
    assert row.sha256 is not None
    return get_blobs().fetch(row.sha256, scope=who.scope.tenant_id).read_bytes()


def _is_in_flight(api: ApiProcess, path: str) -> bool:
    """Tell whether bytes of an upload still lie outside the store."""
    return (api.data_dir / "uploads" / path.rsplit("/", 1)[1]).exists()


def test_a_stock_client_uploads_and_resumes(api: ApiProcess, owner: Principal, dataset_id: str, tmp_path: Path):
    data = os.urandom(3 * MIB + 17)
    source = tmp_path / "rainy day.wav"
    source.write_bytes(data)
    client = TusClient(f"{api.url}/v1/uploads", headers=owner.headers)
    first = client.uploader(
        str(source), chunk_size=MIB, metadata={"dataset": dataset_id, "filename": source.name}, upload_checksum=True
    )
    first.upload(stop_at=2 * MIB)
    second = client.uploader(str(source), chunk_size=MIB, url=first.url)
    assert second.offset == 2 * MIB
    second.upload()
    path = first.url.removeprefix(api.url)
    assert _stored(owner, path) == data
    assert _row(path).file_name == "rainy day.wav"
    assert not _is_in_flight(api, path)
    shown = owner.client.get(f"/v1/datasets/{dataset_id}").json()["uploads"][0]
    assert (shown["offset"], shown["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())


def test_the_server_says_what_it_speaks(owner: Principal):
    told = owner.client.options("/v1/uploads")
    assert told.status_code == 204
    assert told.headers["tus-version"] == "1.0.0"
    assert set(told.headers["tus-extension"].split(",")) == {
        "creation",
        "creation-with-upload",
        "termination",
        "checksum",
        "expiration",
        "concatenation",
    }
    assert set(told.headers["tus-checksum-algorithm"].split(",")) == {"sha1", "sha256"}
    assert int(told.headers["tus-max-size"]) == get_settings().max_upload_bytes


def test_another_version_is_refused(owner: Principal, dataset_id: str):
    path = created(owner, dataset_id, 3)
    headers = {"Tus-Resumable": "0.2.2"}
    for answer in (
        owner.client.post("/v1/uploads", headers={"Upload-Length": "3"}),
        owner.client.head(path, headers=headers),
        owner.client.patch(path, headers=headers | {"Upload-Offset": "0"}, content=b"abc"),
    ):
        assert answer.status_code == 412
        assert answer.headers["tus-version"] == "1.0.0"
    assert offset_of(owner, path) == 0


def test_creation_may_bring_the_first_bytes(owner: Principal, dataset_id: str):
    headers = {**BYTES, "Upload-Length": "6", "Upload-Metadata": metadata(dataset=dataset_id, filename="a.wav")}
    answer = owner.client.post("/v1/uploads", headers=headers, content=b"abc")
    assert (answer.status_code, answer.headers["upload-offset"]) == (201, "3")
    assert "upload-expires" in answer.headers
    path = answer.headers["location"]
    assert patch(owner, path, 3, b"def").status_code == 204
    assert _stored(owner, path) == b"abcdef"
    other = {"Upload-Metadata": metadata(dataset=dataset_id, filename="b.wav"), "Upload-Checksum": checksum(b"other")}
    spoilt = owner.client.post("/v1/uploads", headers=headers | other, content=b"abc")
    assert spoilt.status_code == 460
    assert len(owner.client.get(f"/v1/datasets/{dataset_id}").json()["uploads"]) == 1  # it left nothing behind


def test_an_empty_file_is_complete_at_once(api: ApiProcess, owner: Principal, dataset_id: str):
    path = created(owner, dataset_id, 0)
    assert _stored(owner, path) == b""
    assert not _is_in_flight(api, path)


def test_head_tells_what_was_declared(owner: Principal, dataset_id: str):
    path = created(owner, dataset_id, 5, "naïve – 語.wav")
    told = owner.client.head(path, headers=TUS)
    assert told.headers["upload-length"] == "5"
    assert told.headers["upload-metadata"] == metadata(dataset=dataset_id, filename="naïve – 語.wav")
    assert told.headers["tus-resumable"] == "1.0.0"


def test_a_bad_creation_makes_nothing(owner: Principal, dataset_id: str):
    cases: list[tuple[dict[str, str], int]] = [
        ({"Upload-Length": ""}, 400),
        ({"Upload-Length": "-1"}, 400),
        ({"Upload-Length": "1e3"}, 400),
        ({"Upload-Length": str(2**63)}, 400),
        ({"Upload-Length": str(8 * (1 << 30) + 1)}, 413),
        ({"Upload-Metadata": ""}, 400),
        ({"Upload-Metadata": "filename !!!!"}, 400),
        ({"Upload-Metadata": "filename gICA"}, 400),  # Base64 of bytes that are no UTF-8
        ({"Upload-Metadata": "filename YQ==,filename YQ=="}, 400),
        ({"Upload-Metadata": metadata(filename="a\x00b")}, 400),
        ({"Upload-Metadata": metadata(filename="x" * 1025)}, 400),
        ({"Upload-Metadata": metadata(filename="a.wav")}, 404),
        ({"Upload-Metadata": metadata(filename="a.wav", dataset="ds_\x00")}, 404),
        ({"Upload-Metadata": metadata(filename="a.wav", dataset="ds_00000000000000000000000000")}, 404),
        ({"Upload-Checksum": "md5 AAAA"}, 400),
        ({"Upload-Checksum": "sha256 AAAA"}, 400),
    ]
    for headers, status in cases:
        answer = create(owner, dataset_id, 3, **headers)
        assert answer.status_code == status, (headers, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
    with unit_of_work() as session:
        assert session.scalar(select(func.count()).select_from(Upload)) == 0


def test_a_bad_patch_changes_nothing(owner: Principal, dataset_id: str):
    path = created(owner, dataset_id, 6)
    assert patch(owner, path, 0, b"abc").status_code == 204
    cases: list[tuple[dict[str, str], int]] = [
        ({"Upload-Offset": "2"}, 409),
        ({"Upload-Offset": "4"}, 409),
        ({"Upload-Offset": "-3"}, 400),
        ({"Upload-Offset": ""}, 400),
        ({"Upload-Offset": str(2**63)}, 400),
        ({"Content-Type": "application/octet-stream"}, 415),
        ({"Upload-Checksum": "sha512 AAAA"}, 400),
        ({"Upload-Checksum": checksum(b"other")}, 460),
        ({"Upload-Checksum": checksum(b"other", "sha1")}, 460),
    ]
    for headers, status in cases:
        assert patch(owner, path, 3, b"def", **headers).status_code == status, headers
        assert offset_of(owner, path) == 3
    assert patch(owner, path, 3, b"DEF", Upload_Checksum=checksum(b"DEF", "sha1")).status_code == 204
    assert _stored(owner, path) == b"abcDEF"


def test_a_body_longer_than_declared_is_refused(owner: Principal, dataset_id: str):
    path = created(owner, dataset_id, 6)
    assert patch(owner, path, 0, b"abcdefg").status_code == 413
    assert offset_of(owner, path) == 0
    chunked = owner.client.patch(path, headers={**BYTES, "Upload-Offset": "0"}, content=iter([b"abc", b"defg"]))
    assert chunked.status_code == 413
    assert offset_of(owner, path) == 0
    assert patch(owner, path, 0, b"abcdef").status_code == 204
    assert patch(owner, path, 6, b"").status_code == 204  # the answer before may have been lost
    assert patch(owner, path, 6, b"g").status_code == 413
    assert _stored(owner, path) == b"abcdef"


def test_a_cut_connection_loses_nothing_that_was_kept(api: ApiProcess, owner: Principal, dataset_id: str):
    data = os.urandom(9 * MIB)
    for sent in (0, 1, 70_000, SEGMENT_BYTES - 1, SEGMENT_BYTES + 5, 8 * MIB + 3):
        path = created(owner, dataset_id, len(data), f"cut-{sent}.wav")
        raw = RawPatch(api, owner, path, 0, len(data))
        raw.send(data[:sent])
        raw.wait_until_read()
        raw.cut()
        kept = _carry_on(owner, path, data)
        assert kept <= sent
        assert kept >= sent // SEGMENT_BYTES * SEGMENT_BYTES - SEGMENT_BYTES
        assert _stored(owner, path) == data


def _carry_on(who: Principal, path: str, data: bytes) -> int:
    """Send the rest as a client does, from the offset told, which is asked again where it moves; return that offset."""
    offsets = []

    def is_sent() -> bool:
        offsets.append(offset_of(who, path))
        return patch(who, path, offsets[-1], data[offsets[-1] :]).status_code == 204

    wait_until(is_sent, 10, "the end of the upload")
    return offsets[-1]


def test_most_of_a_cut_body_is_kept(api: ApiProcess, owner: Principal, dataset_id: str):
    path = created(owner, dataset_id, 10 * MIB)
    raw = RawPatch(api, owner, path, 0, 10 * MIB)
    raw.send(b"x" * 3 * MIB)  # less than a segment
    raw.wait_until_read()
    raw.cut()
    wait_until(lambda: offset_of(owner, path), 10, "the keeping of what was sent")
    assert offset_of(owner, path) > 2 * MIB


def test_a_checked_body_counts_whole_or_not_at_all(api: ApiProcess, owner: Principal, dataset_id: str):
    data = os.urandom(10 * MIB)
    path = created(owner, dataset_id, len(data))
    spoilt = data[:-1] + bytes([data[-1] ^ 1])
    assert patch(owner, path, 0, spoilt, Upload_Checksum=checksum(data)).status_code == 460
    assert offset_of(owner, path) == 0
    assert patch(owner, path, 0, data, Upload_Checksum=checksum(data)).status_code == 204
    assert _stored(owner, path) == data


def test_the_newest_writer_wins_over_a_zombie(api: ApiProcess, owner: Principal, dataset_id: str):
    data = os.urandom(12 * MIB)
    path = created(owner, dataset_id, len(data))
    zombie = RawPatch(api, owner, path, 0, len(data))
    zombie.send(b"z" * (5 * MIB))  # a segment committed, the rest in memory; the connection stays open
    wait_until(lambda: offset_of(owner, path), 10, "the keeping of a segment")
    offset = offset_of(owner, path)
    began = time.monotonic()
    assert patch(owner, path, offset, data[offset : 8 * MIB]).status_code == 204
    assert time.monotonic() - began < 10
    zombie.send(b"z" * (7 * MIB))
    assert zombie.status() == 409
    assert patch(owner, path, 8 * MIB, data[8 * MIB :]).status_code == 204
    assert _stored(owner, path) == b"z" * offset + data[offset:]


def test_two_at_one_offset_never_mix(owner: Principal, dataset_id: str):
    for round_ in range(15):
        path = created(owner, dataset_id, 300_000, f"{round_}.wav")
        barrier = threading.Barrier(2)

        def send(letter: bytes, path: str = path, barrier: threading.Barrier = barrier) -> int:
            barrier.wait()
            return patch(owner, path, 0, letter * 300_000).status_code

        with ThreadPoolExecutor(2) as pool:
            statuses = sorted(pool.map(send, [b"a", b"b"]))
        assert statuses == [204, 409]
        assert set(_stored(owner, path)) in ({ord("a")}, {ord("b")})


def test_an_upload_can_be_given_up(api: ApiProcess, owner: Principal, dataset_id: str):
    open_one = created(owner, dataset_id, 6, "open.wav")
    patch(owner, open_one, 0, b"abc")
    whole, twin = upload(owner, dataset_id, b"same", "whole.wav"), upload(owner, dataset_id, b"same", "twin.wav")
    sha256 = _row(whole).sha256 or ""
    assert owner.client.delete(open_one, headers=TUS).status_code == 204
    assert not _is_in_flight(api, open_one)
    assert owner.client.delete(whole, headers=TUS).status_code == 204
    assert get_blobs().exists(sha256, scope=owner.scope.tenant_id)  # its twin stands on the same bytes
    assert owner.client.post(twin, headers={**TUS, "X-HTTP-Method-Override": "DELETE"}).status_code == 204
    assert not get_blobs().exists(sha256, scope=owner.scope.tenant_id)
    for path in (open_one, whole, twin):
        assert owner.client.head(path, headers=TUS).status_code == 410
        assert patch(owner, path, 0, b"abc").status_code == 410
        assert owner.client.delete(path, headers=TUS).status_code == 410


def test_erasure_passes_by_a_tenant_that_stores_a_file(
    api: ApiProcess, owner: Principal, stranger: Principal, dataset_id: str
):
    ours = upload(owner, dataset_id, b"ours", "a.wav")
    theirs = upload(stranger, new_dataset(stranger), b"theirs", "a.wav")
    began = time.monotonic()
    with unit_of_work() as session:
        blobs.lock_shared(session, owner.scope)  # as for minutes, while a large file is stored
        for who, path in ((owner, ours), (stranger, theirs)):
            assert who.client.delete(path, headers=TUS).status_code == 204
        assert (_row(ours).sha256 is None, _row(theirs).sha256 is None) == (False, True)
        assert sweeper.sweep(service()) is not None
    assert time.monotonic() - began < 10  # a lock would be given up after 15 s
    service().eraser.erase(service().database)
    assert _row(ours).sha256 is None
    for who in (owner, stranger):
        assert list((api.data_dir / "blobs" / who.scope.tenant_id).glob("*/*")) == []


def test_erasure_goes_on_after_a_step_that_fails(owner: Principal, dataset_id: str):
    class BrokenBlobs:
        def delete(self, sha256: str, *, scope: str) -> None:
            raise OSError("the store does not answer")

    path = upload(owner, dataset_id, b"abc")
    with unit_of_work() as session:
        session.execute(update(Upload).values(state="aborted"))
    in_flight = service().settings.uploads_dir / f"up_{'0' * 26}"
    in_flight.write_bytes(b"of no upload")
    assert replace(service().eraser, blobs=BrokenBlobs()).erase(service().database) == 1
    assert (in_flight.exists(), _row(path).sha256 is None) == (False, False)
    assert service().eraser.erase(service().database) == 1
    assert _row(path).sha256 is None


def test_an_expired_upload_is_gone_and_swept(api: ApiProcess, owner: Principal, dataset_id: str):
    path = created(owner, dataset_id, 6)
    patch(owner, path, 0, b"abc")
    with unit_of_work() as session:
        session.execute(update(Upload).values(expires_at=func.now()))
    assert owner.client.head(path, headers=TUS).status_code == 410
    assert _is_in_flight(api, path)
    assert service().eraser.erase(service().database) == 2  # the row, and the file of its bytes
    assert not _is_in_flight(api, path)
    assert _row(path).state == "aborted"


def test_lost_tail_is_asked_for_again(api: ApiProcess, owner: Principal, dataset_id: str):
    path = created(owner, dataset_id, 9)
    assert patch(owner, path, 0, b"abcdef").status_code == 204
    file = api.data_dir / "uploads" / path.rsplit("/", 1)[1]
    os.truncate(file, 4)  # as a disk that lied about fsync
    assert offset_of(owner, path) == 4
    assert patch(owner, path, 6, b"ghi").status_code == 409
    with file.open("ab") as tail:
        tail.write(b"??????")  # bytes that nobody was told are safe
    with unit_of_work() as session:
        session.execute(update(Upload).values(offset=4))
    assert patch(owner, path, 4, b"efghi").status_code == 204
    assert _stored(owner, path) == b"abcdefghi"


def test_quota_holds_when_many_ask_at_once(owner: Principal, dataset_id: str):
    quota = get_settings().tenant_quota_bytes
    each = get_settings().max_upload_bytes
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda i: create(owner, dataset_id, each, f"{i}.wav"), range(20)))
    assert sum(answer.status_code == 201 for answer in answers) == quota // each
    refused = next(answer for answer in answers if answer.status_code != 201)
    assert (refused.status_code, refused.json()["code"]) == (413, "quota_exceeded")
    with unit_of_work() as session:
        assert (session.scalar(select(func.sum(Upload.length))) or 0) <= quota


def test_a_full_disk_is_told_and_costs_nothing(api: ApiProcess, owner: Principal, dataset_id: str):
    path = created(owner, dataset_id, 9000)
    assert patch(owner, path, 0, b"x" * 3000).status_code == 204
    upload_id = path.rsplit("/", 1)[1]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, hard))  # the kernel refuses bytes past this, as a full disk does
    try:
        with unit_of_work() as session:
            writer = service().writers.begin(session, owner.scope, upload_id, offset=3000)
            with pytest.raises(ResourceExhausted) as full:
                service().writers.write(session, owner.scope, writer, b"y" * 6000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert full.value.code == "disk_full"
    assert offset_of(owner, path) == 3000
    assert patch(owner, path, 3000, b"z" * 6000).status_code == 204  # there is room again
    assert _stored(owner, path) == b"x" * 3000 + b"z" * 6000
    with changed(min_free_disk_bytes=1 << 60), pytest.raises(ResourceExhausted), unit_of_work() as session:
        service().uploads.create(session, owner.scope, dataset_id=dataset_id, file_name="b.wav", length=1)


def test_large_files_go_through_in_flat_memory(api: ApiProcess, owner: Principal, dataset_id: str):
    length = 300 * MIB
    block = os.urandom(MIB)
    upload(owner, dataset_id, block, "warm-up.wav")
    path = created(owner, dataset_id, length)
    with api.growing_less_than(100 * MIB):
        answer = owner.client.patch(
            path,
            headers={**BYTES, "Upload-Offset": "0", "Content-Length": str(length)},
            content=(block for _ in range(300)),
        )
    assert answer.status_code == 204
    assert _row(path).sha256 == hashlib.sha256(block * 300).hexdigest()

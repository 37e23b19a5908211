"""Blobs: what goes in comes out, under its own hash, to its own tenant, or not at all."""

import hashlib
from pathlib import Path

import boto3
import pytest

from adaptwin_core.domain.errors import CorruptBlob, NotFound
from adaptwin_core.store.blobs import BlobStore
from adaptwin_core.store.blobs_local import LocalBlobs
from adaptwin_core.store.blobs_s3 import S3Blobs

DATA = bytes(range(256)) * 8192  # 2 MiB: more than one chunk


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(DATA)
    return path


def test_what_goes_in_comes_out(blobs: BlobStore, file: Path):
    ref = blobs.put(file, scope="ten_a")
    assert (ref.sha256, ref.bytes) == (hashlib.sha256(DATA).hexdigest(), len(DATA))
    assert blobs.put(file, scope="ten_a") == ref
    assert blobs.fetch(ref.sha256, scope="ten_a").read_bytes() == DATA
    assert file.read_bytes() == DATA
    file.write_bytes(b"changed later")
    assert blobs.fetch(ref.sha256, scope="ten_a").read_bytes() == DATA


@pytest.mark.parametrize(
    ("start", "length"), [(0, None), (5, None), (5, 0), (5, 7), (0, 2**20 + 1), (len(DATA) - 3, 99)]
)
def test_a_range_is_the_bytes_asked_for(blobs: BlobStore, file: Path, start: int, length: int | None):
    ref = blobs.put(file, scope="ten_a")
    expected = DATA[start:] if length is None else DATA[start : start + length]
    assert b"".join(blobs.read(ref.sha256, scope="ten_a", start=start, length=length)) == expected


def test_nobody_learns_what_others_hold(blobs: BlobStore, file: Path):
    ref = blobs.put(file, scope="ten_a")
    assert blobs.exists(ref.sha256, scope="ten_a")
    assert not blobs.exists(ref.sha256, scope="ten_b")
    for ask in (lambda: blobs.fetch(ref.sha256, scope="ten_b"), lambda: list(blobs.read(ref.sha256, scope="ten_b"))):
        with pytest.raises(NotFound):
            ask()


def test_a_check_tells_what_is_lost(blobs: BlobStore, file: Path):
    ref = blobs.put(file, scope="ten_a")
    blobs.check(ref.sha256, scope="ten_a")
    blobs.delete(ref.sha256, scope="ten_a")
    with pytest.raises(NotFound):
        blobs.check(ref.sha256, scope="ten_a")


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "A" * 64, "0" * 63, "0" * 64 + "\n"])
def test_a_name_is_never_a_path(blobs: BlobStore, name: str):
    with pytest.raises(NotFound):
        blobs.fetch(name, scope="ten_a")
    with pytest.raises(NotFound):
        blobs.fetch("0" * 64, scope="../ten_a")


def test_deleted_is_gone_and_may_be_deleted_again(blobs: BlobStore, file: Path):
    ref = blobs.put(file, scope="ten_a")
    blobs.fetch(ref.sha256, scope="ten_a")
    blobs.delete(ref.sha256, scope="ten_a")
    blobs.delete(ref.sha256, scope="ten_a")
    assert not blobs.exists(ref.sha256, scope="ten_a")
    with pytest.raises(NotFound):
        blobs.fetch(ref.sha256, scope="ten_a")


def test_rot_on_disk_is_noticed_and_healed(tmp_path: Path, file: Path):
    blobs = LocalBlobs(tmp_path / "blobs")
    ref = blobs.put(file, scope="ten_a")
    path = blobs.fetch(ref.sha256, scope="ten_a")
    path.chmod(0o644)
    path.write_bytes(b"\xff" + DATA[1:])
    with pytest.raises(CorruptBlob):
        blobs.fetch(ref.sha256, scope="ten_a")
    blobs.put(file, scope="ten_a")
    assert blobs.fetch(ref.sha256, scope="ten_a").read_bytes() == DATA


def test_a_damaged_object_is_never_handed_out(tmp_path: Path, file: Path, monkeypatch, bucket_url: str):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    client = boto3.client("s3", endpoint_url=bucket_url, region_name="us-east-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    client.create_bucket(Bucket="rotten")
    blobs = S3Blobs("rotten", bucket_url, LocalBlobs(tmp_path / "cache"))
    ref = blobs.put(file, scope="ten_a")
    client.put_object(Bucket="rotten", Key=f"ten_a/{ref.sha256[:2]}/{ref.sha256}", Body=b"\xff" + DATA[1:])
    with pytest.raises(CorruptBlob):
        blobs.fetch(ref.sha256, scope="ten_a")
    given = list[bytes]()
    blobs.check(ref.sha256, scope="ten_a")
    with pytest.raises(CorruptBlob):
        given.extend(blobs.read(ref.sha256, scope="ten_a", length=len(DATA)))
    assert 0 < sum(map(len, given)) < len(DATA)
    assert b"".join(blobs.read(ref.sha256, scope="ten_a", start=1)) == DATA[1:]
    assert not list((tmp_path / "cache").rglob("*/*/*"))


def test_no_half_written_file_is_left(tmp_path: Path):
    blobs = LocalBlobs(tmp_path / "blobs")
    with pytest.raises(FileNotFoundError):
        blobs.put(tmp_path / "nothing", scope="ten_a")
    assert [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()] == []


def test_several_files_are_stored_as_one(blobs: BlobStore, tmp_path: Path):
    parts = {"a": DATA, "empty": b"", "b": DATA[::-1] + b"end"}
    for name, data in parts.items():
        (tmp_path / name).write_bytes(data)
    ref = blobs.put(*(tmp_path / name for name in parts), scope="ten_a")
    whole = b"".join(parts.values())
    assert (ref.sha256, ref.bytes) == (hashlib.sha256(whole).hexdigest(), len(whole))
    assert blobs.fetch(ref.sha256, scope="ten_a").read_bytes() == whole

"""Both stores of blobs."""

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import server as moto_server

from adaptwin_core.store.blobs import BlobStore
from adaptwin_core.store.blobs_local import LocalBlobs
from adaptwin_core.store.blobs_s3 import S3Blobs


@pytest.fixture(scope="session")
def bucket_url() -> Iterator[str]:
    """A real S3 API on loopback."""
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["folder", "bucket"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BlobStore:
    if request.param == "folder":
        return LocalBlobs(tmp_path / "blobs")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    url = request.getfixturevalue("bucket_url")
    boto3.client("s3", endpoint_url=url).create_bucket(Bucket="adaptwin")
    return S3Blobs("adaptwin", url, LocalBlobs(tmp_path / "cache"))

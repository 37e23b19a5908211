"""Blobs in a bucket of any S3 store, read through a local folder of checked copies."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from adaptwin_core.domain.digest import CHUNK_BYTES, digest_file
from adaptwin_core.domain.errors import CorruptBlob, NotFound
from adaptwin_core.store.blobs import BlobRef, blob_name
from adaptwin_core.store.blobs_local import LocalBlobs
from adaptwin_core.store.joined_files import open_joined


class S3Blobs:
    """Content-addressed objects. An object appears whole or not at all; its bytes are checked when first fetched."""

    def __init__(self, bucket: str, endpoint_url: str | None, cache: LocalBlobs) -> None:
        self._bucket = bucket
        self._endpoint_url = endpoint_url
        self._cache = cache

    @cached_property
    def _client(self) -> Any:
        """Made on first use: a client must not be shared with a process that is forked later."""
        return boto3.client("s3", endpoint_url=self._endpoint_url)

    def put(self, *paths: Path, scope: str) -> BlobRef:
        """Store a copy of a file, or of several as one; S3 acknowledges it only once it is durable."""
        with open_joined(paths) as source:
            sha256 = hashlib.file_digest(source, "sha256").hexdigest()
        with open_joined(paths) as source:
            self._client.upload_fileobj(source, self._bucket, blob_name(sha256, scope))
        return BlobRef(sha256, sum(path.stat().st_size for path in paths))

    def fetch(self, sha256: str, *, scope: str) -> Path:
        """Return a local copy whose SHA-256 was checked. Raises NotFound, CorruptBlob."""
        if self._cache.exists(sha256, scope=scope):
            return self._cache.fetch(sha256, scope=scope)
        self._cache.root.mkdir(parents=True, exist_ok=True)
        # Beside the cache, not in /tmp, which containers keep in memory.
        descriptor, name = tempfile.mkstemp(prefix="tmp-", dir=self._cache.root)
        os.close(descriptor)
        tmp = Path(name)
        try:
            self._client.download_file(self._bucket, blob_name(sha256, scope), str(tmp))
            if digest_file(tmp) != sha256:
                raise CorruptBlob(f"stored file {sha256[:12]} does not match its SHA-256")
            self._cache.put(tmp, scope=scope)
        except ClientError as error:
            raise _not_found_or(error) from error
        finally:
            tmp.unlink(missing_ok=True)
        return self._cache.fetch(sha256, scope=scope)

    def check(self, sha256: str, *, scope: str) -> None:
        """Check that the object is there; `read` compares its bytes. Raises NotFound."""
        if not self.exists(sha256, scope=scope):
            raise NotFound("no such file")

    def read(self, sha256: str, *, scope: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Yield bytes from `start` on, straight from the bucket.

        Raises:
            NotFound: there is no such object.
            CorruptBlob: all of it was asked for, and does not match its SHA-256. The last bytes are not given then.
        """
        if length == 0:
            return
        last = "" if length is None else str(start + length - 1)
        try:
            response = self._client.get_object(
                Bucket=self._bucket, Key=blob_name(sha256, scope), Range=f"bytes={start}-{last}"
            )
        except ClientError as error:
            raise _not_found_or(error) from error
        chunks = response["Body"].iter_chunks(CHUNK_BYTES)
        num_bytes = response["ContentLength"]
        is_whole = response.get("ContentRange") == f"bytes 0-{num_bytes - 1}/{num_bytes}"
        yield from _compared(chunks, sha256) if is_whole else chunks

    def exists(self, sha256: str, *, scope: str) -> bool:
        try:
            self._client.head_object(Bucket=self._bucket, Key=blob_name(sha256, scope))
        except ClientError as error:
            if isinstance(_not_found_or(error), NotFound):
                return False
            raise
        return True

    def delete(self, sha256: str, *, scope: str) -> None:
        self._client.delete_object(Bucket=self._bucket, Key=blob_name(sha256, scope))
        self._cache.delete(sha256, scope=scope)


def _compared(chunks: Iterator[bytes], sha256: str) -> Iterator[bytes]:
    """Yield chunks, the last one only if all of them have this SHA-256."""
    sha, last = hashlib.sha256(), b""
    for chunk in chunks:
        if last:
            yield last
        last = chunk
        sha.update(chunk)
    if sha.hexdigest() != sha256:
        raise CorruptBlob(f"stored file {sha256[:12]} does not match its SHA-256")
    yield last


def _not_found_or(error: ClientError) -> Exception:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return NotFound("no such file") if status == 404 else error

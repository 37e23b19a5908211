"""The three requests of tus 1.0 that send a file. Each is tried once."""

import base64
import re
from collections.abc import AsyncIterator

from adaptwin_core.client.connection import Connection
from adaptwin_core.client.errors import NotUnderstood
from adaptwin_core.rest.ids import UPLOAD_ID

UPLOADS = "/v1/uploads"
VERSION = {"Tus-Resumable": "1.0.0"}
BLOCK_BYTES = 1 << 16  # the time limit of a write is that of one block, so that a slow network may be slow


async def create(connection: Connection, dataset_id: str, name: str, num_bytes: int) -> str:
    """Begin an upload and return its path. A file without bytes is then complete."""
    metadata = ",".join(
        f"{key} {base64.b64encode(value.encode()).decode()}"
        for key, value in {"dataset": dataset_id, "filename": name}.items()
    )
    headers = {**VERSION, "Upload-Length": str(num_bytes), "Upload-Metadata": metadata}
    response = await connection.once("POST", UPLOADS, headers=headers)
    upload_id = response.headers.get("location", "").rsplit("/", 1)[-1]
    if not re.match(UPLOAD_ID, upload_id):
        raise NotUnderstood("the service began an upload and did not say where: check that the address is AdaPTwin's")
    return path_of(upload_id)


def path_of(upload_id: str) -> str:
    """Return where an upload is asked for. The key is sent there: no answer may name another place."""
    return f"{UPLOADS}/{upload_id}"


async def offset(connection: Connection, path: str) -> int:
    """Return how many bytes of an upload are safe."""
    response = await connection.once("HEAD", path, headers=VERSION)
    return _offset_in(response.headers.get("upload-offset", ""))


async def append(connection: Connection, path: str, at: int, data: bytes) -> int:
    """Send bytes that belong at an offset, and return the offset behind them."""
    headers = {
        **VERSION,
        "Upload-Offset": str(at),
        "Content-Type": "application/offset+octet-stream",
        "Content-Length": str(len(data)),
    }
    response = await connection.once("PATCH", path, headers=headers, content=_blocks(data))
    return _offset_in(response.headers.get("upload-offset", ""))


async def _blocks(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), BLOCK_BYTES):
        yield data[start : start + BLOCK_BYTES]


def _offset_in(header: str) -> int:
    if not header.isdecimal():
        raise NotUnderstood("the answer has no Upload-Offset: check that the address is AdaPTwin's, and no proxy's")
    return int(header)

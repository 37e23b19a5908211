"""The headers of tus 1.0: those of a request are parsed, and those of an answer written."""

import base64
import binascii
import re
from datetime import UTC
from email.utils import format_datetime
from typing import get_args

from fastapi import Request

from adaptwin_core.domain.errors import InvalidInput, NotFound
from adaptwin_core.domain.states import UploadState
from adaptwin_core.rest.ids import DATASET_ID
from adaptwin_core.service.upload_writer import Checksum, ChecksumName
from adaptwin_core.store.tables import Upload
from api.file_names import checked_file_name

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,termination,checksum,expiration,concatenation"
CHECKSUMS = ",".join(get_args(ChecksumName))
MEDIA_TYPE = "application/offset+octet-stream"
MAX_INT64 = 2**63 - 1

_KEY = re.compile(r"[\x21-\x2b\x2d-\x7e]+")  # ASCII, no space, no comma
_DIGITS = re.compile(r"[0-9]{1,19}")


def parse_metadata(header: str) -> dict[str, str]:
    """Read Upload-Metadata.

    Raises:
        InvalidInput: a key is empty or given twice, or a value is not Base64 of UTF-8.
    """
    values: dict[str, str] = {}
    for pair in filter(None, (part.strip(" ") for part in header.split(","))):
        key, _, encoded = pair.partition(" ")
        if not _KEY.fullmatch(key) or key in values:
            raise InvalidInput(f"Upload-Metadata: {key!r} is not a valid key, or is given twice")
        try:
            values[key] = base64.b64decode(encoded, validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError, ValueError) as error:
            raise InvalidInput(f"Upload-Metadata: the value of {key} must be the Base64 of UTF-8 text") from error
    return values


def file_name_of(metadata: dict[str, str]) -> str:
    """Return `filename`. Raises InvalidInput when it is missing, too long or holds control characters."""
    try:
        return checked_file_name(metadata.get("filename", ""))
    except InvalidInput as error:
        raise InvalidInput(f"Upload-Metadata: {error.message}") from error


def dataset_of(metadata: dict[str, str]) -> str:
    """Return `dataset`. Raises NotFound when it cannot be an id."""
    dataset_id = metadata.get("dataset", "")
    if not re.fullmatch(DATASET_ID, dataset_id):
        raise NotFound("Upload-Metadata: give the id of an open dataset as `dataset`")
    return dataset_id


def parse_count(request: Request, header: str) -> int:
    """Return a header that holds a number of bytes. Raises InvalidInput."""
    text = request.headers.get(header, "")
    if not _DIGITS.fullmatch(text) or int(text) > MAX_INT64:
        raise InvalidInput(f"{header} must be a whole number of bytes, from 0 to 2^63-1")
    return int(text)


def has_body(request: Request) -> bool:
    """Tell whether a request brings bytes."""
    return request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers


def parse_checksum(header: str | None) -> Checksum | None:
    """Read Upload-Checksum. Raises InvalidInput for another algorithm or a digest of another length."""
    if header is None:
        return None
    name, _, encoded = header.partition(" ")
    num_bytes = {"sha256": 32, "sha1": 20}.get(name)
    try:
        digest = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != num_bytes:
        raise InvalidInput(f"Upload-Checksum must be one of {CHECKSUMS}, a space, and the digest in Base64")
    return Checksum("sha1" if name == "sha1" else "sha256", digest)


def location_of(upload: Upload) -> str:
    """Return the address of an upload."""
    return f"/v1/uploads/{upload.id}"


def headers_of(upload: Upload) -> dict[str, str]:
    """Return the headers of the answer to HEAD."""
    headers = {"Upload-Length": str(upload.length), "Cache-Control": "no-store"}
    if upload.dataset_id is not None:
        pairs = {"dataset": upload.dataset_id, "filename": upload.file_name}
        encoded = [f"{key} {base64.b64encode(text.encode()).decode()}" for key, text in pairs.items()]
        headers["Upload-Metadata"] = ",".join(encoded)
    if upload.concat is not None:
        headers["Upload-Concat"] = upload.concat
    return {**headers, **progress_headers(upload)}


def progress_headers(upload: Upload) -> dict[str, str]:
    """Return the headers that say how far an upload has come, and until when it can go on."""
    is_joined = upload.state != UploadState.OPEN or not upload.part_ids
    headers = {"Upload-Offset": str(upload.offset)} if is_joined else {}
    if upload.state == UploadState.OPEN:
        headers["Upload-Expires"] = format_datetime(upload.expires_at.astimezone(UTC), usegmt=True)
    return headers


def server_headers(max_upload_bytes: int) -> dict[str, str]:
    """Return what this server speaks, and how large a file it takes."""
    return {
        "Tus-Version": VERSION,
        "Tus-Extension": EXTENSIONS,
        "Tus-Max-Size": str(max_upload_bytes),
        "Tus-Checksum-Algorithm": CHECKSUMS,
    }

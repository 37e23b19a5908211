"""A service in memory that takes uploads, and breaks off when the test says so."""

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx

from tests.unit.client.answering import found, problem

LATER = (datetime.now(UTC) + timedelta(days=1)).isoformat()


@dataclass
class Upload:
    id: str
    name: str
    length: int
    data: bytes = b""
    is_gone: bool = False

    def shown(self) -> dict[str, object]:
        is_complete = len(self.data) == self.length
        sha256 = hashlib.sha256(self.data).hexdigest() if is_complete else None
        state = "complete" if is_complete else "open"
        return {
            "id": self.id, "file_name": self.name, "state": state, "length": self.length, "offset": len(self.data),
            "sha256": sha256, "expires_at": LATER,
        }  # fmt: skip


@dataclass
class TusServer:
    """`breaks` says for each request in turn what fails: nothing, the request, its half, or the answer."""

    breaks: Iterable[str] = ()
    uploads: list[Upload] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    prefix: str = ""  # of the addresses that it tells
    refuse: httpx.Response | None = None  # the answer to the next PATCH

    def __post_init__(self) -> None:
        self._breaks = iter(self.breaks)

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.asked.append(request.method)
        fault = next(self._breaks, "")
        if fault == "request":
            raise httpx.ConnectError("no network")
        answer = self._do(request, request.content[: len(request.content) // 2] if fault == "half" else request.content)
        if fault:
            raise httpx.ReadError("cut")
        return answer

    def _do(self, request: httpx.Request, body: bytes) -> httpx.Response:
        match request.method:
            case "GET":
                return found(self._dataset())
            case "POST":
                return self._create(request)
        upload = next(one for one in self.uploads if request.url.path.endswith(one.id))
        if upload.is_gone:
            return problem(410, "gone")
        if request.method == "DELETE":
            upload.is_gone = True
        if request.method == "PATCH" and (refusal := self._refusal(upload, int(request.headers["Upload-Offset"]))):
            return refusal
        upload.data += body
        return httpx.Response(200, headers={"Upload-Offset": str(len(upload.data))})

    def _refusal(self, upload: Upload, offset: int) -> httpx.Response | None:
        refusal, self.refuse = self.refuse, None
        return problem(409, "offset_mismatch") if refusal is None and offset != len(upload.data) else refusal

    def _create(self, request: httpx.Request) -> httpx.Response:
        pairs = dict(pair.split(" ") for pair in request.headers["Upload-Metadata"].split(","))
        name = base64.b64decode(pairs["filename"]).decode()
        if any(one.name == name for one in self.living()):
            return problem(409, "duplicate_file_name")
        upload = Upload(f"up_{len(self.uploads):026}", name, int(request.headers["Upload-Length"]))
        self.uploads.append(upload)
        return httpx.Response(201, headers={"Location": f"{self.prefix}/v1/uploads/{upload.id}"})

    def living(self) -> list[Upload]:
        return [one for one in self.uploads if not one.is_gone]

    def _dataset(self) -> dict[str, object]:
        return {
            "id": "ds_1", "name": "Ada", "state": "open", "created_at": LATER, "digest": None, "report": None,
            "error": None, "uploads": [upload.shown() for upload in self.living()],
        }  # fmt: skip

    def files(self) -> dict[str, bytes]:
        return {one.name: one.data for one in self.living() if len(one.data) == one.length}

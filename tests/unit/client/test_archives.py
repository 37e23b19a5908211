"""An archive arrives whole over connections that break, and holds the files that the model names."""

import hashlib
import io
import re
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from adaptwin_core.client import DamagedDownload, Failed, NotUnderstood, Progress
from adaptwin_core.client.models import AsyncExports, AsyncModels
from tests.unit.client.answering import URL, Script, connected, found

pytestmark = pytest.mark.anyio
CONTENTS = {"model.safetensors": bytes(range(256)) * 20, "deep/empty": b""}
FILES = {name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)} for name, data in CONTENTS.items()}
MODEL = {"id": "mdl_1", "job_id": "job_1", "created_at": "2026-01-01T00:00:00Z", "num_downloads": 0}
EXPORT = {"format": "dense", "state": "ready", "progress": None, "verdict": None, "files": FILES, "error": None}
TAG = "ab" * 32
PART = f"a.tar.{TAG[:12]}.part"


def packed(contents: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in contents.items():
            member = tarfile.TarInfo(f"mdl_1/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


WHOLE = packed(CONTENTS)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class Archive:
    """A model whose archive breaks off after `step` bytes of each connection."""

    def __init__(self, data: bytes = WHOLE, step: int = 1 << 30) -> None:
        self.data, self.step, self.ranges = data, step, list[str]()

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        if not request.url.path.endswith("/archive"):
            return found(EXPORT if "exports" in request.url.path else MODEL | {"manifest": {"files": FILES}})
        assert request.headers["Accept-Encoding"] == "identity"
        headers = {"ETag": f'"{TAG}"', "Content-Length": str(len(self.data))}
        if request.method == "HEAD":
            return httpx.Response(200, headers=headers)
        self.ranges.append(request.headers.get("Range", ""))
        match = re.fullmatch(r"bytes=(\d+)-", self.ranges[-1])
        if match is None:
            return httpx.Response(200, content=self._body(self.data))
        assert request.headers["If-Range"] == f'"{TAG}"'
        start = int(match[1])
        headers = {"Content-Range": f"bytes {start}-{len(self.data) - 1}/{len(self.data)}"}
        return httpx.Response(206, content=self._body(self.data[start:]), headers=headers)

    async def _body(self, data: bytes) -> AsyncIterator[bytes]:
        yield data[: self.step]
        if len(data) > self.step:
            raise httpx.ReadError("cut")

    @property
    def models(self) -> AsyncModels:
        return AsyncModels(connected(self))


async def test_it_comes_whole_over_many_connections(tmp_path: Path) -> None:
    server, told, target = Archive(step=4096), list[Progress](), tmp_path / "deep" / "a.tar"
    model = await server.models.archive("mdl_1", target, on_progress=told.append)
    assert target.read_bytes() == WHOLE
    assert model.id == "mdl_1"
    assert server.ranges == ["", "bytes=4096-", "bytes=8192-"]
    assert (told[-1].name, told[-1].done_bytes, told[-1].total_bytes) == ("a.tar", len(WHOLE), len(WHOLE))
    assert names_in(target.parent) == ["a.tar"]


async def test_a_new_process_goes_on_and_what_is_there_is_not_fetched(tmp_path: Path) -> None:
    server, target = Archive(), tmp_path / "a.tar"
    (tmp_path / PART).write_bytes(WHOLE[:700])
    target.write_bytes(b"something else")
    await server.models.archive("mdl_1", target)
    await server.models.archive("mdl_1", target)
    assert target.read_bytes() == WHOLE
    assert server.ranges == ["bytes=700-"]


async def test_that_of_an_export_too(tmp_path: Path) -> None:
    await AsyncExports(connected(Archive())).archive("mdl_1", "dense", tmp_path / "a.tar")
    assert (tmp_path / "a.tar").read_bytes() == WHOLE
    script = Script(found(EXPORT | {"state": "running"}))
    with pytest.raises(Failed, match="wait until it is ready"):
        await AsyncExports(script.connection).archive("mdl_1", "dense", tmp_path / "b.tar")


@pytest.mark.parametrize(
    "data",
    [
        packed(CONTENTS | {"model.safetensors": bytes(5120)}),
        packed({"model.safetensors": CONTENTS["model.safetensors"]}),
        packed(CONTENTS | {"more": b""}),
        WHOLE[:2000],
        b"no archive",
    ],
)
async def test_one_with_other_files_is_refused_and_does_not_stay(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(DamagedDownload, match="download it again"):
        await Archive(data).models.archive("mdl_1", tmp_path / "a.tar")
    assert names_in(tmp_path) == []


async def test_one_without_size_or_tag_is_not_understood(tmp_path: Path) -> None:
    model = found(MODEL | {"manifest": {"files": FILES}})
    with pytest.raises(NotUnderstood, match="size"):
        await AsyncModels(Script(model, httpx.Response(200)).connection).archive("mdl_1", tmp_path / "a.tar")


@pytest.mark.parametrize("seen_as", ["http://inner:8000", "https://service.test/prefix", URL])
async def test_a_link_begins_with_the_address_that_this_client_uses(seen_as: str) -> None:
    rest = "/v1/models/mdl_1/exports/dense/archive?expires=1&key=key_1&signature=s"
    script = Script(found({"url": seen_as + rest, "expires_at": "2026-01-01T00:00:00Z"}))
    link = await AsyncModels(script.connection).link("mdl_1", export="dense", expires_in_s=60)
    assert link.url == URL + rest
    assert script.asked == ["POST /v1/models/mdl_1/links"]
    assert b'"expires_in_s":60' in script.requests[0].content.replace(b" ", b"")


async def test_a_link_to_something_else_is_not_understood() -> None:
    script = Script(found({"url": "https://elsewhere.test/", "expires_at": "2026-01-01T00:00:00Z"}))
    with pytest.raises(NotUnderstood):
        await AsyncModels(script.connection).link("mdl_1")

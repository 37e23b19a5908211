"""A download is whole or is not there, whatever breaks."""

import hashlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from adaptwin_core.client import DamagedDownload, Progress, ServiceError, Unreachable
from adaptwin_core.client.fetching import Fetcher
from adaptwin_core.rest.models import FileRef
from tests.unit.client.answering import connected, problem

pytestmark = pytest.mark.anyio
DATA = bytes(range(256)) * 40


def ref(data: bytes) -> FileRef:
    return FileRef(sha256=hashlib.sha256(data).hexdigest(), bytes=len(data))


def files_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


class Files:
    """Gives at most `step` bytes of a file on one connection, and then breaks it off."""

    def __init__(self, files: dict[str, bytes], step: int = 1 << 30, *, takes_ranges: bool = True) -> None:
        self.files, self.step, self.takes_ranges = files, step, takes_ranges
        self.ranges: list[str] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        data = self.files.get(request.url.path.removeprefix("/v1/files/"))
        if data is None:
            return problem(404, "not_found")
        self.ranges.append(request.headers.get("Range", ""))
        match = re.fullmatch(r"bytes=(\d+)-", self.ranges[-1])
        is_same = request.headers.get("If-Range", "").strip('"') == ref(data).sha256
        if match is None or not is_same or not self.takes_ranges:
            return httpx.Response(200, content=self._body(data))
        start = int(match[1])
        headers = {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"}
        return httpx.Response(206, content=self._body(data[start:]), headers=headers)

    async def _body(self, data: bytes) -> AsyncIterator[bytes]:
        for start in range(0, min(len(data), self.step), 100):
            yield data[start : min(start + 100, self.step)]
        if len(data) > self.step:
            raise httpx.ReadError("cut")


async def fetch(server: Files, folder: Path, files: dict[str, FileRef], told: list[Progress] | None = None) -> None:
    on_progress = None if told is None else told.append
    await Fetcher(connected(server), "/v1/files").fetch(files, folder, on_progress)


async def test_files_come_whole_over_many_connections(tmp_path: Path) -> None:
    server, told = Files({"a b.bin": DATA, "deep/empty": b""}, step=3000), list[Progress]()
    await fetch(server, tmp_path / "out", {"a b.bin": ref(DATA), "deep/empty": ref(b"")}, told)
    assert (tmp_path / "out" / "a b.bin").read_bytes() == DATA
    assert (tmp_path / "out" / "deep" / "empty").read_bytes() == b""
    assert server.ranges == ["", "bytes=3000-", "bytes=6000-", "bytes=9000-", ""]
    assert (told[-1].done_bytes, told[-1].total_bytes) == (len(DATA), len(DATA))
    assert [one.done_bytes for one in told] == sorted(one.done_bytes for one in told)
    assert files_in(tmp_path) == ["out/a b.bin", "out/deep/empty"]


async def test_a_new_process_goes_on(tmp_path: Path) -> None:
    server = Files({"a": DATA}, step=0)
    part = tmp_path / f"a.{ref(DATA).sha256[:12]}.part"
    part.write_bytes(DATA[:5000])
    with pytest.raises(Unreachable):
        await fetch(server, tmp_path, {"a": ref(DATA)})
    assert part.read_bytes() == DATA[:5000]
    server.step = 1 << 30
    await fetch(server, tmp_path, {"a": ref(DATA)})
    assert (tmp_path / "a").read_bytes() == DATA
    assert set(server.ranges) == {"bytes=5000-"}
    assert not part.exists()


async def test_what_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    server = Files({"a": DATA, "b": DATA})
    (tmp_path / "a").write_bytes(DATA)
    (tmp_path / "b").write_bytes(DATA[::-1])
    await fetch(server, tmp_path, {"a": ref(DATA), "b": ref(DATA)})
    assert server.ranges == [""]
    assert (tmp_path / "b").read_bytes() == DATA


async def test_a_server_that_begins_again_is_understood(tmp_path: Path) -> None:
    server = Files({"a": DATA}, takes_ranges=False)
    (tmp_path / f"a.{ref(DATA).sha256[:12]}.part").write_bytes(b"what another program left")
    await fetch(server, tmp_path, {"a": ref(DATA)})
    assert (tmp_path / "a").read_bytes() == DATA


@pytest.mark.parametrize("sent", [DATA[::-1], DATA + b"more"])
async def test_other_bytes_are_refused_and_do_not_stay(tmp_path: Path, sent: bytes) -> None:
    server = Files({"a": sent})
    with pytest.raises(DamagedDownload, match="download it again"):
        await fetch(server, tmp_path, {"a": ref(DATA)})
    assert files_in(tmp_path) == []


async def test_an_answer_that_ends_early_is_gone_on_with_until_it_is_plain(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="ended after 50 of 10240 bytes"):
        await fetch(Files({"a": DATA[:50]}), tmp_path, {"a": ref(DATA)})


async def test_a_damaged_beginning_is_found_and_the_next_run_begins_anew(tmp_path: Path) -> None:
    server = Files({"a": DATA})
    (tmp_path / f"a.{ref(DATA).sha256[:12]}.part").write_bytes(bytes(500))
    with pytest.raises(DamagedDownload):
        await fetch(server, tmp_path, {"a": ref(DATA)})
    await fetch(server, tmp_path, {"a": ref(DATA)})
    assert (tmp_path / "a").read_bytes() == DATA


async def test_nothing_is_written_outside_of_the_folder(tmp_path: Path) -> None:
    with pytest.raises(DamagedDownload, match="leads out of"):
        await fetch(Files({}), tmp_path / "out", {"a": ref(b""), "../b": ref(b"")})
    assert files_in(tmp_path) == []


async def test_a_refusal_is_told(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="not_found"):
        await fetch(Files({}), tmp_path, {"a": ref(DATA)})

"""Archives as one file, downloads that are counted, and links that need no key."""

import http.client
import io
import shutil
import socket
import subprocess
import tarfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest

from adaptwin_core.service import auth
from adaptwin_core.service.downloads import Target
from adaptwin_core.store.tables import Model
from tests.integration.api_world import EXPORT, FILE_NAME, WEIGHTS, add_model
from tests.integration.conftest import ApiProcess, Principal
from tests.service_under_test import get_blobs, service, unit_of_work
from tests.waiting import wait_until

MORE = {"adaptwin.json": b"{}", "empty.txt": b""}


@dataclass(frozen=True)
class Made:
    """A model with three files, as its owner reaches it."""

    owner: Principal
    id: str

    @property
    def path(self) -> str:
        return f"/v1/models/{self.id}"

    @property
    def num_downloads(self) -> int:
        found: int = self.owner.client.get(self.path).json()["num_downloads"]
        return found

    def link(self, **body: object) -> str:
        answer = self.owner.client.post(f"{self.path}/links", json=body)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["url"])


@pytest.fixture
def made(owner: Principal, tmp_path: Path) -> Made:
    return Made(owner, add_model(owner, tmp_path, more=MORE)[1])


def members(data: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
        return {name: archive.extractfile(name).read() for name in archive.getnames()}  # type: ignore[union-attr]


def refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def changed(url: str, **query: str) -> str:
    parts = urlsplit(url)
    return parts._replace(query=urlencode({**dict(parse_qsl(parts.query)), **query})).geturl()


@pytest.mark.parametrize(("place", "folder"), [("archive", "{}"), (f"exports/{EXPORT}/archive", f"{{}}-{EXPORT}")])
def test_an_archive_is_a_file_like_any_other(made: Made, place: str, folder: str):
    client, path, name = made.owner.client, f"{made.path}/{place}", folder.format(made.id)
    whole = client.get(path)
    assert whole.status_code == 200
    assert members(whole.content) == {f"{name}/{file}": data for file, data in {**MORE, FILE_NAME: WEIGHTS}.items()}
    assert whole.headers["content-type"] == "application/x-tar"
    assert whole.headers["content-disposition"] == f'attachment; filename="{name}.tar"'
    assert whole.headers["cache-control"] == "private, no-cache"
    assert "transfer-encoding" not in whole.headers
    again = client.get(path)
    assert (again.content, again.headers["etag"]) == (whole.content, whole.headers["etag"])
    head = client.head(path)
    for header in ("content-length", "etag", "content-type", "accept-ranges", "content-disposition"):
        assert head.headers[header] == whole.headers[header]
    assert (head.status_code, head.content) == (200, b"")
    etag, size = whole.headers["etag"], len(whole.content)
    assert not etag.startswith("W/")
    for headers, status, start, stop in [
        ({"Range": "bytes=500-600"}, 206, 500, 601),
        ({"Range": "bytes=-7"}, 206, size - 7, size),
        ({"Range": f"bytes={size - 3}-", "If-Range": etag}, 206, size - 3, size),
        ({"Range": "bytes=5-9", "If-Range": '"another"'}, 200, 0, size),
    ]:
        part = client.get(path, headers=headers)
        assert (part.status_code, part.content) == (status, whole.content[start:stop]), headers
        assert part.headers.get("content-range") == (f"bytes {start}-{stop - 1}/{size}" if status == 206 else None)
    past = client.get(path, headers={"Range": f"bytes={size}-"})
    assert (*refused(past), past.headers["content-range"]) == (416, "range_not_satisfiable", f"bytes */{size}")
    known = client.get(path, headers={"If-None-Match": etag})
    assert (known.status_code, known.content) == (304, b"")


def test_an_archive_with_damaged_or_lost_bytes_never_begins(made: Made):
    with unit_of_work() as session:
        sha256 = session.get_one(Model, made.id).manifest["files"][FILE_NAME]["sha256"]
    stored = get_blobs().fetch(sha256, scope=made.owner.scope.tenant_id)
    stored.chmod(0o600)
    stored.write_bytes(WEIGHTS[:-1] + b"?")  # a disk that rots
    assert refused(made.owner.client.get(f"{made.path}/archive")) == (500, "corrupt_blob")
    stored.unlink()
    for headers in ({}, {"Range": "bytes=700-"}):
        answer = made.owner.client.get(f"{made.path}/archive", headers=headers)
        assert refused(answer) == (500, "corrupt_blob")
    assert made.num_downloads == 0


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl on this machine")
def test_curl_goes_on_with_an_archive(made: Made, api: ApiProcess, tmp_path: Path):
    whole = made.owner.client.get(f"{made.path}/archive").content
    (tmp_path / "a.tar").write_bytes(whole[:3000])
    key = ["-H", f"Authorization: Bearer {made.owner.token}"]
    for source in ([*key, f"{api.url}{made.path}/archive"], [made.link()]):
        (tmp_path / "a.tar").write_bytes(whole[:3000])
        command = ["curl", "-sS", "--fail-with-body", "-C", "-", "-o", "a.tar", "-w", "%{http_code} %{size_download}"]
        done = subprocess.run([*command, *source], cwd=tmp_path, capture_output=True, text=True, check=True)
        assert done.stdout == f"206 {len(whole) - 3000}"
        assert (tmp_path / "a.tar").read_bytes() == whole
    complete = ["curl", "-sS", "-f", "-C", "-", "-o", "a.tar", made.link()]
    done = subprocess.run(complete, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0 or "416" in done.stderr, done.stderr
    assert (tmp_path / "a.tar").read_bytes() == whole, "what is complete stays as it is"
    subprocess.run(["curl", "-sS", "-OJ", made.link()], cwd=tmp_path, check=True)
    assert (tmp_path / f"{made.id}.tar").read_bytes() == whole


def test_whole_models_are_counted_and_nothing_else(made: Made):
    client = made.owner.client
    archive, weights = f"{made.path}/archive", f"{made.path}/files/{FILE_NAME}"
    last = client.get(weights, headers={"Range": "bytes=-1"})
    assert (last.status_code, made.num_downloads) == (206, 1)
    for path in (archive, weights):
        client.head(path)
        client.get(path, headers={"Range": "bytes=0-99"})
        client.get(path, headers={"Range": "bytes=99999999-"})
        client.get(path, headers={"If-None-Match": "*"})
    for name in MORE:
        assert client.get(f"{made.path}/files/{name}").status_code == 200
    assert made.num_downloads == 1
    client.get(weights)
    assert made.num_downloads == 2
    client.get(archive)
    assert made.num_downloads == 3
    client.get(archive, headers={"Range": "bytes=0-9999"})
    client.get(archive, headers={"Range": "bytes=10000-"})
    assert made.num_downloads == 4
    client.get(f"{made.path}/exports/{EXPORT}/archive")
    client.get(f"{made.path}/exports/{EXPORT}/files/{FILE_NAME}")
    assert made.num_downloads == 6


def test_a_download_that_breaks_off_is_not_counted(owner: Principal, api: ApiProcess, tmp_path: Path):
    made = Made(owner, add_model(owner, tmp_path, data=bytes(64 << 20))[1])
    with socket.create_connection(("127.0.0.1", api.port), timeout=10) as raw:
        raw.sendall(
            f"GET {made.path}/archive HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {owner.token}\r\n\r\n".encode()
        )
        answer = http.client.HTTPResponse(raw)
        answer.begin()
        assert len(answer.read(1 << 20)) == 1 << 20
        answer.close()
    time.sleep(1.0)  # so that the rest would have been read meanwhile
    assert made.num_downloads == 0


def test_an_archive_streams_through_little_memory(owner: Principal, api: ApiProcess, tmp_path: Path):
    made = Made(owner, add_model(owner, tmp_path, data=bytes(200 << 20))[1])
    owner.client.get(f"{made.path}/archive", headers={"Range": "bytes=0-5000000"})
    before = api.rss_bytes()
    with owner.client.stream("GET", f"{made.path}/archive") as answer:
        num_bytes = sum(map(len, answer.iter_bytes()))
    assert num_bytes == int(answer.headers["content-length"])
    assert api.rss_bytes() - before < 30 << 20
    wait_until(lambda: made.num_downloads == 1, 10, "the count")


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "archive"),
        ({"file": FILE_NAME}, f"files/{FILE_NAME}"),
        ({"export": EXPORT}, f"exports/{EXPORT}/archive"),
        ({"export": EXPORT, "file": FILE_NAME}, f"exports/{EXPORT}/files/{FILE_NAME}"),
    ],
)
def test_a_link_downloads_what_it_names_without_a_key(made: Made, api: ApiProcess, body: dict[str, str], place: str):
    answer = made.owner.client.post(f"{made.path}/links", json=body)
    link = answer.json()
    day = datetime.fromisoformat(link["expires_at"]) - datetime.now(UTC)
    assert timedelta(hours=23, minutes=59) < day <= timedelta(days=1, seconds=1)
    url = link["url"]
    assert url.startswith(f"{api.url}{made.path}/{place}?expires=")
    whole = made.owner.client.get(f"{made.path}/{place}")
    found = httpx.get(url)
    assert (found.status_code, found.content) == (200, whole.content)
    assert found.headers["referrer-policy"] == "no-referrer"
    assert found.headers["cache-control"] == "private, no-cache"
    part = httpx.get(url, headers={"Range": "bytes=100-", "If-Range": found.headers["etag"]})
    assert (part.status_code, part.content) == (206, whole.content[100:])
    assert httpx.head(url).headers["content-length"] == str(len(whole.content))
    wait_until(lambda: made.num_downloads == 3, 10, "the count, which comes after the last byte")


def test_a_link_opens_nothing_else(made: Made, owner: Principal, tmp_path: Path):
    (tmp_path / "another").mkdir()
    other = add_model(owner, tmp_path / "another", more=MORE)[1]
    links = [
        made.link(),
        made.link(file=FILE_NAME),
        made.link(export=EXPORT),
        made.link(export=EXPORT, file=FILE_NAME),
    ]
    paths = [urlsplit(link).path for link in links]
    base = links[0].removesuffix(urlsplit(links[0]).query).split("/v1/")[0]
    for link in links:
        query = urlsplit(link).query
        assert httpx.get(f"{base}{urlsplit(link).path}?{query}").status_code == 200, "the control"
        elsewhere = {*paths, f"{made.path}/files/adaptwin.json", paths[0].replace(made.id, other)}
        for path in elsewhere - {urlsplit(link).path}:
            assert refused(httpx.get(f"{base}{path}?{query}")) == (403, "link_invalid"), path
        for method, path in (
            ("GET", made.path),
            ("GET", "/v1/models"),
            ("DELETE", made.path),
            ("POST", f"{made.path}/links"),
        ):
            assert refused(httpx.request(method, f"{base}{path}?{query}")) == (401, "unauthorized")


def test_a_changed_link_is_refused(made: Made, stranger: Principal):
    link = made.link(expires_in_s=60)
    query = dict(parse_qsl(urlsplit(link).query))
    later, other_key = str(int(query["expires"]) + 1), "_".join(stranger.token.split("_")[1:3])
    first = "A" if query["signature"][0] != "A" else "B"
    for wrong in (
        changed(link, expires=later),
        changed(link, expires=" " + query["expires"]),
        changed(link, expires="x"),
        changed(link, key=other_key),
        changed(link, key="key_\x00"),
        changed(link, signature=first + query["signature"][1:]),
        changed(link, signature=query["signature"][:-1]),
        changed(link, signature=query["signature"] + "="),
        changed(link, signature=""),
        changed(link, signature="größe"),
        link.replace("expires=", "expired="),
    ):
        answer = httpx.get(wrong)
        assert refused(answer) == (403, "link_invalid"), wrong
        assert answer.headers["cache-control"] == "no-store"
        # a key beside it does not help: what was asked for is the link
        assert refused(made.owner.client.get(wrong)) == (403, "link_invalid")
    assert refused(httpx.get(f"{link}&expires={later}"))[1] in {"link_invalid", "validation_failed"}
    unsigned = link.replace("&signature=", "&signed=")
    assert refused(httpx.get(unsigned)) == (401, "unauthorized")


def test_a_link_ends_with_its_time(made: Made):
    short = made.link(expires_in_s=3)
    assert httpx.get(short).status_code == 200
    key_id = auth.key_id_of(made.owner.token)
    ended = service().links.sign(key_id, Target(made.id, None, None), timedelta(seconds=-1))
    answer = httpx.get(changed(short, expires=ended.expires, signature=ended.signature))
    assert refused(answer) == (403, "link_expired")
    assert "this link ended at 2" in answer.json()["detail"]
    wait_until(lambda: httpx.get(short).status_code == 403, 10, "the end of a link")
    for seconds in (0, 7 * 24 * 3600 + 1):
        answer = made.owner.client.post(f"{made.path}/links", json={"expires_in_s": seconds})
        assert answer.json()["errors"][0]["location"] == "body.expires_in_s"
    assert httpx.get(made.link(expires_in_s=7 * 24 * 3600)).status_code == 200


def test_a_link_ends_with_its_key(made: Made):
    with unit_of_work() as session:
        second = service().keys.create(session, made.owner.scope, "second")
    made.owner.client.headers["Authorization"] = f"Bearer {second}"
    of_second = made.link()
    made.owner.client.headers["Authorization"] = f"Bearer {made.owner.token}"
    of_first = made.link()
    with unit_of_work() as session:
        auth.revoke_key(session, made.owner.scope, auth.key_id_of(second))
    answer = httpx.get(of_second)
    assert refused(answer) == (403, "link_invalid")
    assert "revoked" in answer.json()["detail"]
    assert httpx.get(of_first).status_code == 200


def test_a_link_ends_with_its_model(made: Made):
    link = made.link()
    assert made.owner.client.delete(made.path).status_code == 204
    assert refused(httpx.get(link)) == (410, "gone")
    assert httpx.head(link).status_code == 410


def test_there_are_no_links_to_what_is_not_there(made: Made, stranger: Principal):
    post = made.owner.client.post
    assert refused(post(f"{made.path}/links", json={"file": "other"})) == (404, "not_found")
    assert refused(post(f"{made.path}/links", json={"export": "ct2-int8"})) == (404, "not_found")
    for name in ("", "a\x00", "x" * 501):
        assert refused(post(f"{made.path}/links", json={"file": name})) == (422, "validation_failed")
    surrogate = post(f"{made.path}/links", content=rb'{"file": "\ud800"}', headers={"Content-Type": "application/json"})
    assert refused(surrogate) == (422, "validation_failed")
    assert refused(post(f"{made.path}/links", json={"form": "ct2-int8"})) == (422, "validation_failed")
    assert refused(stranger.client.post(f"{made.path}/links", json={})) == (404, "not_found")

"""The page at /listen: what its parts may do, and that it needs no other site."""

import gzip
import hashlib
import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api import listen_page
from api.main import make_app
from tests.service_under_test import idle_service

FOLDER = Path(listen_page.__file__).with_name("listen")
OWN = sorted(path.name for path in FOLDER.glob("*.*"))


@pytest.fixture(scope="module")
def client() -> TestClient:
    return TestClient(make_app(idle_service()))


@pytest.mark.parametrize("name", ["", *OWN, "vendor/ort-wasm-simd-threaded.mjs"])
def test_only_the_courier_may_open_connections(client: TestClient, name: str) -> None:
    answer = client.get(f"/listen/{name}")
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert ("connect-src 'self'" if name == "courier.js" else "connect-src 'none'") in policy
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert answer.headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_the_courier_is_never_given_audio() -> None:
    assert not re.search(r"audio|sound\.js|pieces\.js|hearing\.js", _code("courier.js"))
    assert re.findall(r"start\(\"(\w+)\.js\"", _code("page.js")) == ["courier", "recognizer"]


def test_own_scripts_name_no_other_site() -> None:
    for name in OWN:
        assert "//" not in re.sub(r"^\s*//.*|\s// .*", "", (FOLDER / name).read_text(), flags=re.MULTILINE), name


def test_vendored_files_are_those_that_were_recorded() -> None:
    lines = (FOLDER / "vendor" / "SHA256SUMS").read_text().splitlines()
    recorded = {name: digest for digest, name in (line.split() for line in lines)}
    found = {
        path.name.removesuffix(".gz"): hashlib.sha256(_unpacked(path)).hexdigest()
        for path in (FOLDER / "vendor").iterdir()
        if path.name not in {"README.md", "SHA256SUMS", "update.sh"}
    }
    assert found == recorded
    assert f'WASM_SHA256 = "{recorded["ort-wasm-simd-threaded.wasm"]}"' in _code("runtime.js")


def test_webassembly_arrives_as_it_was_recorded(client: TestClient) -> None:
    answer = client.get("/listen/vendor/ort-wasm-simd-threaded.wasm")
    assert answer.headers["Content-Type"] == "application/wasm"  # browsers compile nothing else while it arrives
    assert int(answer.headers["Content-Length"]) < 0.3 * len(answer.content)
    assert f'WASM_SHA256 = "{hashlib.sha256(answer.content).hexdigest()}"' in _code("runtime.js")


def test_what_is_not_there_is_not_found(client: TestClient) -> None:
    assert client.get("/listen/vendor/nothing.wasm").status_code == 404


def _unpacked(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def _code(name: str) -> str:
    return re.sub(r"^\s*//.*", "", (FOLDER / name).read_text(), flags=re.MULTILINE)

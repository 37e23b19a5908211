"""tuspy, and tus-js-client in a browser on a page of another site, on connections that hold and that break."""

import hashlib
import os
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page
from tusclient.client import TusClient

from adaptwin_core.local.servers import ServerUrls
from tests.cutting_proxy import CuttingProxy
from tests.e2e.listening_page import browser, watch_mistakes
from tests.e2e.model_page import needs_chromium
from tests.integration.conftest import ApiProcess, Principal, start_api
from tests.integration.tus_client import new_dataset
from tests.waiting import wait_until

VENDOR = Path(__file__).parents[1] / "e2e" / "vendor"
TUS_JS_SHA256 = "8cbb1b63fccc3bba0ae73ad1deb160ce046c3750851d0c3e94921ae3ef070eb8"
MIB = 1 << 20

UPLOAD = """
(given) => new Promise((resolve, reject) => {
  const bytes = Uint8Array.from({ length: given.length }, (_, i) => (i * 7919) >> 3);
  const upload = new tus.Upload(new Blob([bytes]), {
    endpoint: given.endpoint,
    headers: { Authorization: `Bearer ${given.key}` },
    metadata: { dataset: given.dataset, filename: given.name },
    retryDelays: Array(200).fill(20),
    onError: (error) => reject(error),
    onSuccess: () => resolve(upload.url),
    ...given.options,
  });
  upload.start();
})
"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A page of another site, with tus-js-client."""
    folder = tmp_path_factory.mktemp("site")
    library = VENDOR / "tus.min.js"
    assert hashlib.sha256(library.read_bytes()).hexdigest() == TUS_JS_SHA256
    (folder / "tus.min.js").symlink_to(library)
    (folder / "index.html").write_text('<!doctype html><title>site</title><script src="tus.min.js"></script>')
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def open_api(api: ApiProcess, servers: ServerUrls, site: str) -> Iterator[ApiProcess]:
    """An API that pages of that site may use."""
    opened = start_api(servers, api.data_dir, ADAPTWIN_CORS_ORIGINS=site)
    yield opened
    opened.stop()


@pytest.fixture
def page(site: str, tmp_path: Path) -> Iterator[Page]:
    with browser(tmp_path) as context:
        page = context.new_page()
        mistakes = watch_mistakes(page)
        page.goto(site)
        yield page
        assert not mistakes, mistakes


def made(length: int) -> bytes:
    """Return the bytes that the page makes."""
    return bytes((i * 7919 >> 3) & 255 for i in range(length))


def assert_stored(who: Principal, dataset_id: str, name: str, data: bytes) -> None:
    """Check the dataset by its seal, which is put off while parts are joined."""

    def is_sealed() -> bool:
        answer = who.client.post(f"/v1/datasets/{dataset_id}/seal")
        assert answer.status_code == 202 or answer.json()["code"] == "uploads_being_stored", answer.text
        return answer.status_code == 202

    wait_until(is_sealed, 10, "the joining")
    [shown] = who.client.get(f"/v1/datasets/{dataset_id}").json()["uploads"]
    assert (shown["file_name"], shown["state"], shown["length"]) == (name, "complete", len(data))
    assert shown["sha256"] == hashlib.sha256(data).hexdigest()


@needs_chromium
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"chunkSize": MIB // 2, "uploadDataDuringCreation": True},
        {"parallelUploads": 3},
        {"parallelUploads": 4, "chunkSize": 100_000, "addRequestId": True},
        {"overridePatchMethod": True},
    ],
    ids=str,
)
def test_tus_js_client_uploads_from_another_site(
    open_api: ApiProcess, owner: Principal, page: Page, options: dict[str, Any]
):
    dataset_id, length = new_dataset(owner), 2 * MIB + 17
    given = {"endpoint": f"{open_api.url}/v1/uploads", "key": owner.token, "dataset": dataset_id, "length": length}
    url = page.evaluate(UPLOAD, {**given, "name": "naïve day.wav", "options": options})
    assert url.startswith(f"{open_api.url}/v1/uploads/up_")
    assert_stored(owner, dataset_id, "naïve day.wav", made(length))


@needs_chromium
@pytest.mark.parametrize("length", [0, 2])
def test_tus_js_client_uploads_less_than_a_byte_for_each_part(
    open_api: ApiProcess, owner: Principal, page: Page, length: int
):
    dataset_id = new_dataset(owner)
    given = {"endpoint": f"{open_api.url}/v1/uploads", "key": owner.token, "dataset": dataset_id, "length": length}
    page.evaluate(UPLOAD, {**given, "name": "a.wav", "options": {"parallelUploads": 4}})
    assert_stored(owner, dataset_id, "a.wav", made(length))


@needs_chromium
@pytest.mark.parametrize("options", [{}, {"parallelUploads": 3}], ids=str)
def test_tus_js_client_goes_on_where_connections_break(
    open_api: ApiProcess, owner: Principal, page: Page, options: dict[str, Any]
):
    dataset_id, length = new_dataset(owner), 6 * MIB
    with CuttingProxy(open_api.port, seed=5, most_bytes=2 * MIB) as proxy:
        given = {"endpoint": f"{proxy.url}/v1/uploads", "key": owner.token, "dataset": dataset_id, "length": length}
        page.evaluate(UPLOAD, {**given, "name": "a.wav", "options": {"chunkSize": MIB, **options}})
        assert proxy.cuts.total() >= 3
    assert_stored(owner, dataset_id, "a.wav", made(length))


@needs_chromium
def test_a_page_that_is_not_named_gets_nothing(api: ApiProcess, owner: Principal, page: Page):
    given = {"endpoint": f"{api.url}/v1/uploads", "key": owner.token, "dataset": new_dataset(owner), "length": 3}
    with pytest.raises(Exception, match="failed to create upload"):
        page.evaluate(UPLOAD, {**given, "name": "a.wav", "options": {"retryDelays": None}})


def test_tuspy_goes_on_where_connections_break(api: ApiProcess, owner: Principal, tmp_path: Path):
    dataset_id, data = new_dataset(owner), os.urandom(12 * MIB)
    source = tmp_path / "day1.wav"
    source.write_bytes(data)
    with CuttingProxy(api.port, seed=6, most_bytes=2 * MIB) as proxy:
        proxy.is_cutting = False  # tuspy repeats no creation
        client = TusClient(f"{proxy.url}/v1/uploads", headers=owner.headers)
        sent = {"dataset": dataset_id, "filename": source.name}
        uploader = client.uploader(str(source), chunk_size=MIB, metadata=sent, retries=50, retry_delay=0)
        uploader.set_url(uploader.create_url())
        uploader.offset = 0
        proxy.is_cutting = True
        uploader.upload()
        assert proxy.cuts.total() >= 3
    assert_stored(owner, dataset_id, "day1.wav", data)

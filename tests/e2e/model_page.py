"""A page with transformers.js and the files of one model, in headless Chromium, without a server."""

import gzip
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Route

from tests.e2e.listening_page import browser, chromium, watch_mistakes

ROOT = Path(__file__).parents[2]
LISTEN = ROOT / "api" / "listen"
SITE = "http://localhost"  # nothing listens there: the test answers
IMPORTS = """<!doctype html><script type="importmap">
{"imports": {"@huggingface/transformers": "/listen/vendor/transformers.web.min.js"}}</script>"""
OFFLINE = """
import { env } from "@huggingface/transformers";
const MODEL = "model";
Object.assign(env, { allowLocalModels: true, allowRemoteModels: false, localModelPath: "/" });
Object.assign(env, { useBrowserCache: false, useWasmCache: false });
env.backends.onnx.wasm.wasmPaths = "/listen/vendor/";
"""

needs_chromium = pytest.mark.skipif(
    chromium() is None and "CI" not in os.environ, reason="needs Chromium: install it, or name it in CHROMIUM"
)


@contextmanager
def page_with(model: Path, work: Path) -> Iterator[Page]:
    """Yield a page that finds the model's files under `/model`, and check at the end that it reported no mistake."""

    def answer(route: Route) -> None:
        top, _, name = urlsplit(route.request.url).path[1:].partition("/")
        path = {"listen": LISTEN, "model": model}.get(top, work) / name
        if not top:
            route.fulfill(content_type="text/html", body=IMPORTS)
        elif path.suffix == ".wasm":
            packed = path.with_name(f"{path.name}.gz").read_bytes()
            route.fulfill(content_type="application/wasm", body=gzip.decompress(packed))
        elif path.is_file():
            route.fulfill(path=path)
        else:
            route.fulfill(status=404)

    with browser(work) as context:
        context.route(f"{SITE}/**", answer)
        page = context.new_page()
        mistakes = watch_mistakes(page)
        page.goto(SITE)
        yield page
        assert not mistakes, mistakes


def run(page: Page, *scripts: str) -> None:
    """Run modules one after the other, each to its end."""
    for script in scripts:
        page.evaluate(
            """(text) => new Promise((resolve, reject) => {
                window.ran = resolve;
                const script = Object.assign(document.createElement("script"), { type: "module", textContent: text });
                script.onerror = reject;
                document.head.append(script);
            })""",
            f"{script}\nwindow.ran();",
        )


def lines_of_the_docs() -> str:
    """Return the lines that a page of one's own needs."""
    (lines,) = re.findall(r"```js\n(.*?)```", (ROOT / "docs" / "on-device.md").read_text(), flags=re.DOTALL)
    return str(lines).replace('"this folder"', "MODEL")

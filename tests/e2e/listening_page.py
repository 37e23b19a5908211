"""A person at the page /listen, in headless Chromium."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from adaptwin_core.speech.sound.segment import pieces
from tests.running_service import Service

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MODEL_MS = 120_000  # to have a form made, downloaded and opened
HEARING_MS = 60_000


def chromium() -> str | None:
    """Return where a Chromium is, if there is one."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def heard_in_the_page(service: Service, clip: Path) -> dict[str, str]:
    """Sign in, download a model, cut the network, and have a clip heard as a file, by microphone and after a reload.

    What must hold on the way is asserted. Returns the texts by the way the clip came in.
    """
    texts = {}
    with browser(clip) as context:
        page = context.new_page()
        mistakes, requests = watch_mistakes(page), watch_requests(page)
        watch_messages(page)
        page.goto(f"{service.url}/listen/")
        sign_in(page, "adk_wrong")
        expect(page.get_by_role("alert")).to_contain_text("does not know this API key")
        sign_in(page, service.key)
        page.get_by_role("button", name="Download").click()
        expect(page.locator("#proof .held")).to_have_count(2, timeout=MODEL_MS)
        expect(page.locator("#proof .broken")).to_have_count(0)
        assert not Axe().run(page).response["violations"]

        assert any("/files/" in url for url in requests), "what the workers ask for should be seen"
        assert_cuts_as_the_server(page)
        requests.clear()
        context.set_offline(True)
        texts["file"] = after(page, lambda: page.set_input_files("#file", clip))
        texts["microphone"] = after(page, lambda: record(page, soundfile.info(clip).duration))
        assert not requests, requests
        assert page.evaluate("sentSound") == ["recognizer.js"] * 2

        context.set_offline(False)
        page.reload()
        expect(page.get_by_label("What was heard").locator("li")).to_have_count(2)
        expect(page.get_by_role("button", name="Record")).to_be_enabled(timeout=MODEL_MS)
        texts["after a reload"] = after(page, lambda: page.set_input_files("#file", clip))
        assert not [url for url in requests if "/v1/" in url], "the model should be on the device"
        assert not mistakes, mistakes
    return texts


@contextmanager
def browser(microphone: Path) -> Iterator[BrowserContext]:
    """A browser whose microphone hears a recording."""
    flags = ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    flags.append(f"--use-file-for-fake-audio-capture={microphone}%noloop")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium(), args=flags)
        yield running.new_context()
        running.close()


def sign_in(page: Page, key: str) -> None:
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Show my models").click()


def record(page: Page, seconds: float) -> None:
    page.get_by_role("button", name="Record").click()
    page.wait_for_timeout(1000 * seconds + 500)
    page.get_by_role("button", name="Stop").click()


def after(page: Page, act: Callable[[], None]) -> str:
    """Return the newest text that the page shows once it has heard what `act` gives it."""
    lines = page.get_by_label("What was heard").locator("li")
    before = lines.count()
    act()
    expect(lines).to_have_count(before + 1, timeout=HEARING_MS)
    return lines.first.inner_text()


def watch_messages(page: Page) -> None:
    """Have the page note in `sentSound` which worker each sound is sent to."""
    page.add_init_script("""
        window.sentSound = [];
        const make = window.Worker;
        window.Worker = class extends make {
          constructor(url, options) { super(url, options); this.script = String(url).split("/").pop(); }
          postMessage(message, ...rest) {
            if (message.audio) window.sentSound.push(this.script);
            super.postMessage(message, ...rest);
          }
        };
    """)


def assert_cuts_as_the_server(page: Page) -> None:
    """Long recordings are cut where the server cuts them."""
    for seconds in (29, 32, 57, 100):
        # The same whole numbers on both sides: loud and less loud in turns of 0.3 s.
        index = np.arange(seconds * 16_000)
        samples = ((index * 7919 % 2003 - 1001) * (index // 4800 * 37 % 31)).astype(np.int16)
        ours = np.cumsum([len(piece) for piece in pieces(iter([samples]))]).tolist()
        theirs = page.evaluate(
            """async (count) => {
                const { pieces } = await import("/listen/pieces.js");
                const sample = (i) => (((i * 7919) % 2003) - 1001) * ((Math.floor(i / 4800) * 37) % 31);
                const samples = Float64Array.from({ length: count }, (_, i) => sample(i));
                return [...pieces(samples)].map((piece) => piece.end);
            }""",
            seconds * 16_000,
        )
        assert ours == theirs, seconds


def watch_requests(page: Page) -> list[str]:
    """Return a list that grows with what the page and its workers ask for."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    return asked


def watch_mistakes(page: Page) -> list[str]:
    """Return a list that grows with errors that nothing caught."""
    seen: list[str] = []
    page.on("pageerror", lambda error: seen.append(str(error)))
    return seen

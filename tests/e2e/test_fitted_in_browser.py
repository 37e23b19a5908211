"""In a browser a sound is heard in a fitted window, by the page at /listen and by the lines that the docs give."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soxr
from numpy.typing import NDArray
from playwright.sync_api import Page

from adaptwin_core.domain.audio import SAMPLE_RATE_HZ, WINDOW_FRAMES, window_frames
from adaptwin_core.domain.plan import RankPlan
from adaptwin_core.ml.base.models import resolve
from adaptwin_core.ml.exports import formats
from adaptwin_core.ml.model.checkpoint import assemble, save
from tests.e2e.model_page import OFFLINE, lines_of_the_docs, needs_chromium, page_with, run

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.weights,
    pytest.mark.release,
    needs_chromium,
]

SENTENCES = (
    "Please send the report to the office before nine tomorrow morning.",
    "She bought seven apples and a loaf of bread at the market.",
)
MARGIN_S = 2.0  # what a Whisper that was not taught fitted windows still bears

# Notes the frames of every window that a model hears.
WATCHED = """
import { WhisperForConditionalGeneration } from "@huggingface/transformers";
window.frames = [];
const { generate } = WhisperForConditionalGeneration.prototype;
WhisperForConditionalGeneration.prototype.generate = function (given) {
  window.frames.push(given.inputs.dims[2]);
  return generate.call(this, given);
};
"""
# The recognizer of the page, in the window's own thread, with every file kept as the courier keeps it.
OPENED = """
import { keepFile } from "/listen/kept.js";
import { WASM, WASM_SHA256 } from "/listen/runtime.js";
await keepFile("wasm", WASM_SHA256, await (await fetch(WASM)).blob());
const files = FILES;
for (const [name, { sha256 }] of Object.entries(files)) {
  await keepFile(name, sha256, await (await fetch(`/model/${name}`)).blob());
}
window.told = [];
addEventListener("message", ({ data }) => { if (data.kind) window.told.push(data); });
await import("/listen/recognizer.js");
window.postMessage({ do: "open", entry: { form: "onnx-int8", files } });
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """tiny.en with nothing cut, for onnxruntime in 8 bits."""
    base = resolve("package:whisper-tiny.en", tmp_path_factory.getbasetemp() / "models")
    whole = assemble(base, RankPlan(blocks={}), {})
    whole.config.adaptwin_margin_s = MARGIN_S
    folder = tmp_path_factory.mktemp("fitted")
    save(whole, base, folder / "checkpoint")
    (folder / "model").mkdir()
    formats.write("onnx-int8", folder / "checkpoint", folder / "model")
    return folder / "model"


@pytest.fixture(scope="module")
def spoken() -> list[NDArray[np.float32]]:
    from hibari import Hibari

    reader = Hibari()
    return [
        soxr.resample(reader(text, seed=1), Hibari.sample_rate, SAMPLE_RATE_HZ).astype("float32") for text in SENTENCES
    ]


@pytest.fixture
def page(model: Path, tmp_path: Path) -> Iterator[Page]:
    with page_with(model, tmp_path) as page:
        yield page


def heard_by_the_page(page: Page, sound: NDArray[np.float32]) -> tuple[str, list[int]]:
    """Return the text, and the samples of each piece."""
    page.evaluate(
        "(audio) => { told.length = 0; window.postMessage({ do: 'hear', audio: Float32Array.from(audio) }); }",
        sound.tolist(),
    )
    page.wait_for_function("told.some(({ kind }) => kind === 'heard' || kind === 'trouble')")
    told = page.evaluate("told")
    assert told[-1]["kind"] == "heard", told
    heard = [each for each in told if each["kind"] == "piece"]
    ends = [round(each["seconds"]["audio"] * SAMPLE_RATE_HZ) for each in heard]
    return " ".join(each["text"] for each in heard), np.diff(ends, prepend=0).tolist()


def assert_said(text: str, sentence: str) -> None:
    said, words = (set(re.findall(r"\w+", each.lower())) for each in (text, sentence))
    assert len(words & said) > 0.7 * len(words), (text, sentence)


def test_the_docs_lines_hear_in_the_window_that_the_model_is_for(page: Page, spoken: list[NDArray[np.float32]]) -> None:
    run(page, WATCHED, f"{OFFLINE}{lines_of_the_docs()}\nwindow.hear = hear; window.config = model.config;")
    hear = "(sound) => hear(Float32Array.from(sound))"
    for sound, sentence in zip(spoken, SENTENCES, strict=True):
        assert_said(page.evaluate(hear, sound.tolist()), sentence)
    page.evaluate("config.adaptwin_margin_s = null")
    assert_said(page.evaluate(hear, spoken[0].tolist()), SENTENCES[0])
    fitted = [window_frames(len(sound), MARGIN_S) for sound in spoken]
    assert max(fitted) < WINDOW_FRAMES / 2
    assert page.evaluate("frames") == [*fitted, WINDOW_FRAMES]


def test_the_page_hears_each_piece_in_a_window_of_its_own(
    page: Page, model: Path, spoken: list[NDArray[np.float32]]
) -> None:
    files = {
        str(path.relative_to(model)): {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        for path in model.rglob("*")
        if path.is_file()
    }
    run(page, WATCHED, OPENED.replace("FILES", repr(files)))
    page.wait_for_function("told.some(({ kind }) => kind === 'opened')")
    text, lengths = heard_by_the_page(page, spoken[0])
    assert_said(text, SENTENCES[0])
    assert lengths == [len(spoken[0])]
    long = np.concatenate(spoken * 6)
    text, lengths = heard_by_the_page(page, long)
    assert_said(text, " ".join(SENTENCES))
    assert len(lengths) > 1
    assert sum(lengths) == len(long)
    assert page.evaluate("frames") == [window_frames(n, MARGIN_S) for n in (len(spoken[0]), *lengths)]


def test_the_page_reckons_windows_as_the_server_does(page: Page) -> None:
    lengths = [1, 319, 320, 321, 16_000, 64_123, 471_999, 472_000, 472_001, 480_000]
    for margin_s in (None, 0.2, 0.5, 2.0):
        theirs = page.evaluate(
            """async ([lengths, margin_s]) => {
                const { windowSamples } = await import("/listen/fitted_window.js");
                return lengths.map((length) => windowSamples(length, margin_s));
            }""",
            [lengths, margin_s],
        )
        assert theirs == [160 * window_frames(length, margin_s) for length in lengths]

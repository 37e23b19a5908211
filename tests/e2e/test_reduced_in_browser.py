"""transformers.js hears a multilingual Whisper with fewer tokens as onnxruntime does on a computer."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from adaptwin_core.domain.plan import RankPlan
from adaptwin_core.ml.base.models import resolve
from adaptwin_core.ml.exports import formats
from adaptwin_core.ml.model.checkpoint import assemble, save
from tests.e2e.model_page import OFFLINE, lines_of_the_docs, needs_chromium, page_with, run
from tests.german_speech import SENTENCES, read_aloud
from tests.reduced_base import reduced_base

pytestmark = [pytest.mark.e2e, pytest.mark.weights, pytest.mark.release, needs_chromium]
FORM = "onnx-int8"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Whisper base with the tokens of German, for onnxruntime in 8 bits."""
    base = resolve("package:whisper-base", tmp_path_factory.getbasetemp() / "models")
    folder = tmp_path_factory.mktemp("reduced")
    reduced = reduced_base(base, folder, ["de"])
    save(assemble(reduced, RankPlan(blocks={}), {}), reduced, folder / "checkpoint")
    formats.write(FORM, folder / "checkpoint", folder / "model")
    return folder / "model"


@pytest.fixture
def page(model: Path, tmp_path: Path) -> Iterator[Page]:
    with page_with(model, tmp_path) as page:
        yield page


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def test_it_hears_words_languages_times_and_tasks(page: Page, model: Path) -> None:
    sounds = read_aloud(SENTENCES[:2])
    recognizer = formats.load(FORM, model, "de", margin_s=None)
    lines = lines_of_the_docs().replace("generate({ inputs })", 'generate({ inputs, language: "de", ...asked })')
    assert "...asked" in lines
    run(
        page,
        f"{OFFLINE}let asked = {{}};{lines}\n"
        """
        window.hear = (sound, settings) => { asked = settings; return hear(Float32Array.from(sound)); };
        const listen = await pipeline("automatic-speech-recognition", MODEL, { dtype: "q8" });
        window.listen = (sound) => listen(Float32Array.from(sound), { language: "german", return_timestamps: true });
        """,
    )
    for sound in sounds:
        heard = page.evaluate("(sound) => hear(sound, {})", sound.tolist())
        assert words(heard) == words(recognizer(sound))
    timed = page.evaluate("(sound) => listen(sound)", sounds[0].tolist())
    assert len(set(words(timed["text"])) & set(words(SENTENCES[0]))) > 4, timed
    start, end = timed["chunks"][0]["timestamp"]
    assert 0 <= start < end
    translated = page.evaluate("(sound) => hear(sound, { task: 'translate' })", sounds[0].tolist())
    assert "the" in words(translated), translated

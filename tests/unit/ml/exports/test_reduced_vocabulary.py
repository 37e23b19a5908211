"""A real Whisper with fewer tokens is heard in every runtime as the same form with all tokens is."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faster_whisper import WhisperModel
from numpy.typing import NDArray
from pywhispercpp.model import Model
from sherpa_onnx import OfflineRecognizer

from adaptwin_core.domain.audio import SAMPLE_RATE_HZ
from adaptwin_core.domain.plan import RankPlan
from adaptwin_core.ml.base.models import resolve
from adaptwin_core.ml.base.weights import read_json
from adaptwin_core.ml.evaluation.scoring import score
from adaptwin_core.ml.exports import formats
from adaptwin_core.ml.model.checkpoint import assemble, save
from tests.german_speech import SENTENCES, read_aloud
from tests.reduced_base import reduced_base

NUM_CLIPS = 3
Sound = NDArray[np.float32]
Written = Callable[[str], tuple[Path, Path]]

pytestmark = [pytest.mark.release, pytest.mark.weights]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """Return the folders of Whisper base in a form, with all tokens and with those of German; each is made once."""
    whole = resolve("package:whisper-base", tmp_path_factory.getbasetemp() / "models")
    reduced = reduced_base(whole, tmp_path_factory.mktemp("reduced"), ["de"])
    size, fewer = (read_json(folder / "config.json")["vocab_size"] for folder in (whole, reduced))
    assert fewer < 0.7 * size
    checkpoints = []
    for folder in (whole, reduced):
        checkpoints.append(tmp_path_factory.mktemp("checkpoint"))
        save(assemble(folder, RankPlan(blocks={}), {}), folder, checkpoints[-1])

    @cache
    def write(form: str) -> tuple[Path, Path]:
        outs = tmp_path_factory.mktemp(form), tmp_path_factory.mktemp(f"{form}-reduced")
        for checkpoint, out in zip(checkpoints, outs, strict=True):
            formats.write(form, checkpoint, out)
        return outs

    return write


@pytest.fixture(scope="module")
def sounds() -> list[Sound]:
    return read_aloud(SENTENCES[:NUM_CLIPS])


@pytest.mark.parametrize("form", ["dense", "ct2-int8", "onnx-float32", "onnx-int8", "sherpa-int8", "ggml-q8_0"])
def test_the_form_hears_the_same_words(form: str, written: Written, sounds: list[Sound]) -> None:
    expected, found = (
        [recognizer(sound) for sound in sounds]
        for recognizer in (formats.load(form, folder, "de", margin_s=None) for folder in written(form))
    )
    assert found == expected
    assert score(SENTENCES[:NUM_CLIPS], found, language="de").error_rate < 0.5, found


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"initial_prompt": "Es geht um Bauarbeiten in Straßenbahnen."},
        {"hotwords": "Bauarbeiten"},
        {"language": "de", "task": "translate"},
        {"language": "de", "without_timestamps": True, "beam_size": 1},
    ],
    ids=str,
)
def test_faster_whisper_hears_the_same(settings: dict[str, Any], written: Written, sounds: list[Sound]) -> None:
    """It finds the language itself, and tells when each word is said."""
    heard = []
    for folder in written("ct2-int8"):
        model = WhisperModel(str(folder), device="cpu", cpu_threads=1)
        asked = {"temperature": 0.0, "beam_size": 1, "word_timestamps": True} | settings
        segments, found = model.transcribe(np.concatenate(sounds[:2]), **asked)
        words = [(word.word, word.start, word.end) for segment in segments for word in segment.words]
        heard.append((found.language, round(found.language_probability, 3), words))
    assert heard[0] == heard[1]
    assert heard[1][0] == "de"
    assert len(heard[1][2]) > 8


def heard_by_whisper_cpp(folder: Path, sound: Sound, **settings: Any) -> list[tuple[str, int, int]]:
    """Return texts with their start and end, in hundredths of a second. It finds the language itself if told none."""
    file = str(next(folder.glob("*.bin")))
    model = Model(file, n_threads=1, print_progress=False, redirect_whispercpp_logs_to=None)
    found = model.transcribe(sound, **({"language": "auto", "temperature_inc": 0.0} | settings))
    return [(segment.text, segment.t0, segment.t1) for segment in found]


@pytest.mark.parametrize(
    "settings", [{}, {"language": "de", "translate": True}, {"initial_prompt": "Der Zug."}], ids=str
)
def test_whisper_cpp_hears_the_same(settings: dict[str, Any], written: Written, sounds: list[Sound]) -> None:
    two = np.concatenate(sounds[:2])
    expected, found = (heard_by_whisper_cpp(folder, two, **settings) for folder in written("ggml-q8_0"))
    assert found == expected
    assert len(" ".join(text for text, _, _ in found).split()) > 8


def test_whisper_cpp_puts_words_at_nearly_the_same_times(written: Written, sounds: list[Sound]) -> None:
    """It guesses them from thresholds on probabilities, of which the rows of dropped tokens take up to 3 %."""
    by_word = {"token_timestamps": True, "max_len": 1, "split_on_word": True}
    two = np.concatenate(sounds[:2])
    expected, found = (heard_by_whisper_cpp(folder, two, **by_word) for folder in written("ggml-q8_0"))
    assert [text for text, _, _ in found] == [text for text, _, _ in expected]
    assert len(found) > 8
    np.testing.assert_allclose([times for _, *times in found], [times for _, *times in expected], rtol=0, atol=25)


@pytest.mark.parametrize(
    "settings",
    [{"language": ""}, {"language": "de", "enable_segment_timestamps": True}, {"language": "de", "task": "translate"}],
    ids=str,
)
def test_sherpa_hears_the_same(settings: dict[str, Any], written: Written, sounds: list[Sound]) -> None:
    """It finds the language itself where it is told none."""
    heard = []
    for folder in written("sherpa-int8"):
        parts = (str(next(folder.glob(f"{name}*"))) for name in ("encoder", "decoder", "tokens"))
        recognizer = OfflineRecognizer.from_whisper(*parts, **settings)
        stream = recognizer.create_stream()
        stream.accept_waveform(SAMPLE_RATE_HZ, sounds[0])
        recognizer.decode_stream(stream)
        found = stream.result
        heard.append((found.text, found.lang, found.segment_timestamps, found.segment_texts))
    assert heard[0] == heard[1]
    assert len(heard[1][0].split()) > 5

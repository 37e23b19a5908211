"""Every runtime hears the words that the checkpoint hears in the same window, and the recipes of the page work."""

import contextlib
import io
import re
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import soundfile
import soxr
import torch
from ctranslate2 import StorageView
from ctranslate2.models import Whisper
from faster_whisper import BatchedInferencePipeline, WhisperModel

from adaptwin_core.domain.audio import window_frames
from adaptwin_core.domain.exports import CHECKPOINT
from adaptwin_core.ml.exports import acceptance, formats
from adaptwin_core.ml.model.checkpoint import load_compressed
from adaptwin_core.ml.model.featurizer import Featurizer
from tests.unit.ml.exports.word_times import differences, summary, words_of

SENTENCES = (
    "Please send the report to the office before noon tomorrow morning.",
    "She bought fresh apples and a loaf of bread at the market.",
)
RATE_HZ = 16_000
# A stock Whisper was never taught short windows. It hears well in the first, and with other arithmetic in the second.
MARGIN_S, SAFE_MARGIN_S = 2.0, 8.0
PAGE = (Path(__file__).parents[4] / "docs" / "exports.md").read_text()

pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def audios():
    from hibari import Hibari

    reader = Hibari()
    spoken = [soxr.resample(reader(text, seed=1), Hibari.sample_rate, RATE_HZ).astype("float32") for text in SENTENCES]
    # Our class counts the margin from the last sound that is heard, and the others from the last sample.
    return [audio[: np.flatnonzero(np.abs(audio) > 1e-3)[-1]] for audio in spoken]


@pytest.fixture(scope="module")
def written(checkpoint, tmp_path_factory):
    """Return the folder of the checkpoint in a form; each is made once."""

    @cache
    def write(form):
        out = tmp_path_factory.mktemp(form)
        formats.write(form, checkpoint, out)
        return out

    return write


def heard(form, folder, audios, margin_s):
    recognizer = formats.load(form, folder, "en", margin_s=margin_s)
    return [recognizer(audio) for audio in audios]


def test_ctranslate2_does_not_encode_twice_what_has_as_many_positions_as_mels(written, audios):
    said = audios[0][: RATE_HZ // 2]
    windows_s = (1.6, 1.62)  # 80 positions, which are as many as the mels, and 81
    texts = [heard("ct2-float16", written("ct2-float16"), [said], window_s - 0.5) for window_s in windows_s]
    assert texts[0] == texts[1]


@pytest.mark.release
@pytest.mark.parametrize("margin_s", [MARGIN_S, 0.1, None])
@pytest.mark.parametrize("form", ["ct2-float16", "onnx-float32"])
def test_the_same_features_give_the_same_words(form, written, checkpoint, audios, margin_s):
    assert heard(form, written(form), audios, margin_s) == heard(CHECKPOINT, checkpoint, audios, margin_s)


def test_a_stock_whisper_repeats_itself_in_a_short_window(checkpoint, audios):
    """So the agreement above is more than that of whole windows."""
    short, whole = (" ".join(heard(CHECKPOINT, checkpoint, audios, margin_s)) for margin_s in (0.1, None))
    assert len(short) > 2 * len(whole)


@pytest.mark.release
@pytest.mark.parametrize(
    "form", ["sherpa-float32", "sherpa-int8", "ggml-float16", "ggml-q8_0", "ct2-int8", "onnx-int8"]
)
@pytest.mark.parametrize("margin_s", [SAFE_MARGIN_S, None])
def test_other_features_and_arithmetic_give_nearly_the_same_words(form, written, checkpoint, audios, margin_s):
    own = heard(CHECKPOINT, checkpoint, audios, margin_s)
    found = acceptance.score(own, heard(form, written(form), audios, margin_s), language="en")
    assert found.error_rate < 0.1


@pytest.mark.release
def test_whisper_cpp_hears_the_fitted_window(written, audios):
    """What it was not taught shows that it was given it."""
    short, whole = (" ".join(heard("ggml-float16", written("ggml-float16"), audios, m)) for m in (0.1, None))
    assert len(short) > 1.5 * len(whole)


@pytest.mark.release
@pytest.mark.parametrize(("frames", "positions"), [(400, 200), (401, 201), (2, 1), (3000, 1500)])
def test_encoders_take_fewer_frames_and_an_odd_number_of_them(written, checkpoint, audios, frames, positions):
    features = Featurizer(checkpoint, "en").features(audios[:1])[..., :frames]
    with torch.no_grad():
        expected = load_compressed(checkpoint).get_encoder()(features).last_hidden_state.numpy()
    assert expected.shape[1] == positions
    graph = onnxruntime.InferenceSession(written("onnx-float32") / "onnx" / "encoder_model.onnx")
    (found,) = graph.run(None, {"input_features": features.numpy()})
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-3)
    model = Whisper(str(written("ct2-float16")), device="cpu")
    found = model.encode(StorageView.from_array(np.ascontiguousarray(features.numpy())))
    np.testing.assert_allclose(np.array(found), expected, rtol=0, atol=1e-2)


def recipe(word):
    """Return the one block of Python on the page that holds `word`."""
    (found,) = (block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if word in block)
    return found


@pytest.mark.parametrize("seconds", [0.01, 1.0, 4.4821, 29.8, 31])
def test_the_frames_of_the_page_are_those_of_the_window(seconds):
    names = {"audio": np.zeros(int(RATE_HZ * seconds)), "margin_s": 0.5}
    exec(recipe("positions"), names)  # our own page
    assert names["frames"] == 2 * names["positions"] == window_frames(len(names["audio"]), 0.5)


class Watched:
    """A model of ctranslate2 that remembers how many frames it encoded."""

    def __init__(self, model):
        self._model, self.frames = model, []

    def encode(self, features, **settings):
        self.frames.append(features.shape[-1])
        return self._model.encode(features, **settings)

    def __getattr__(self, name):
        return getattr(self._model, name)


@pytest.fixture(scope="module")
def faster_whispers(written):
    """Return a stock and a fitted one."""
    names = {}
    exec(recipe("FittedWhisperModel"), names)  # our own page
    settings = {"device": "cpu", "compute_type": "float32", "cpu_threads": 1}
    stock, fitted = (
        kind(str(written("ct2-float16")), **settings) for kind in (WhisperModel, names["FittedWhisperModel"])
    )
    assert fitted.margin_s == 0.5
    fitted.margin_s = MARGIN_S
    return stock, fitted


def in_words(model, audio, **settings):
    segments, _ = model.transcribe(audio, language="en", beam_size=1, word_timestamps=True, **settings)
    return words_of(segments, "en")


@pytest.fixture
def frames(faster_whispers, monkeypatch):
    """How many frames the fitted one encodes, in the order of its windows."""
    watched = Watched(faster_whispers[1].model)
    monkeypatch.setattr(faster_whispers[1], "model", watched)
    return watched.frames


def test_faster_whisper_hears_the_fitted_window(faster_whispers, audios, frames):
    stock, fitted = faster_whispers
    apart = []
    for audio in audios:
        expected, found = (in_words(model, audio, temperature=0.0) for model in (stock, fitted))
        assert [word.text for word in found] == [word.text for word in expected]
        apart += differences(found, expected)
    assert summary(apart)["mean_ms"] < 80
    assert frames == pytest.approx([window_frames(len(audio), MARGIN_S) for audio in audios], abs=6)


def test_faster_whisper_fits_a_recording_that_ends_in_silence(faster_whispers, audios, frames):
    """Its word times are sought in no more positions than there are."""
    ended = np.pad(audios[0], (0, 15 * RATE_HZ))
    found = in_words(faster_whispers[1], ended, temperature=0.0)
    assert frames == pytest.approx([window_frames(len(audios[0]), MARGIN_S)], abs=6)
    assert found[-1].text == "morning"
    assert found[-1].end < len(audios[0]) / RATE_HZ + 0.5


def test_faster_whisper_takes_silence_alone(faster_whispers, frames):
    in_words(faster_whispers[1], np.zeros(3 * RATE_HZ, np.float32))
    assert max(frames) <= 100 * MARGIN_S + 2


def joined(audios):
    return np.concatenate([np.pad(audio, (0, RATE_HZ)) for audio in audios])


@pytest.mark.parametrize("finds_voices", [False, True])
def test_faster_whisper_hears_a_long_recording(faster_whispers, audios, frames, monkeypatch, finds_voices):
    monkeypatch.setattr(faster_whispers[1], "margin_s", SAFE_MARGIN_S)
    long = joined(audios * 4)
    assert len(long) > 35 * RATE_HZ
    found = in_words(faster_whispers[1], long, temperature=0.0, vad_filter=finds_voices)
    said = " ".join(word.text for word in found)
    assert acceptance.score([" ".join(SENTENCES * 4)], [said], language="en").error_rate < 0.1
    assert min(frames) < 2500


def test_faster_whisper_hears_batches(faster_whispers, audios, frames, monkeypatch):
    monkeypatch.setattr(faster_whispers[1], "margin_s", SAFE_MARGIN_S)
    model = BatchedInferencePipeline(faster_whispers[1])
    said = " ".join(word.text for word in in_words(model, joined(audios), temperature=0.0, vad_filter=True))
    assert acceptance.score([" ".join(SENTENCES)], [said], language="en").error_rate < 0.1
    assert max(frames) < 2000


@pytest.mark.release
def test_the_recipe_for_sherpa_hears_the_fitted_window(written, checkpoint, audios, tmp_path, monkeypatch):
    (tmp_path / "this folder").symlink_to(written("sherpa-float32"))
    monkeypatch.chdir(tmp_path)
    lines = recipe("tail_paddings").replace(".int8.onnx", ".onnx").replace("* 0.5)", f"* {MARGIN_S})")
    assert f"int(16000 * {MARGIN_S})" in lines
    own = heard(CHECKPOINT, checkpoint, audios, MARGIN_S)
    for audio, text in zip(audios, own, strict=True):
        soundfile.write("speech.wav", audio, RATE_HZ, subtype="FLOAT")
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(lines, {})  # our own page
        assert printed.getvalue().strip() == text

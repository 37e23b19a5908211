"""transformers' own calls with a fitted window: texts, times of segments and words, long recordings, batches."""

import numpy as np
import pytest
import soxr
import torch
from transformers import WhisperProcessor, pipeline

from adaptwin_core.domain.plan import RankPlan
from adaptwin_core.ml.base.models import resolve
from adaptwin_core.ml.model.checkpoint import assemble
from adaptwin_core.ml.model.loading import load_whisper

SENTENCES = (
    "The quick brown fox jumps over the lazy dog near the old river.",
    "Please send the report to the office before nine tomorrow morning.",
    "She bought seven apples and a loaf of bread at the market.",
)
RATE_HZ = 16_000
MARGIN_S = 2.0  # a stock Whisper, which was never taught short windows, hears well in this one

pytestmark = [
    pytest.mark.weights,
    # transformers' own: it passes on what it deprecates
    pytest.mark.filterwarnings("ignore::FutureWarning:transformers"),
]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return resolve("package:whisper-tiny.en", tmp_path_factory.getbasetemp() / "models")


@pytest.fixture(scope="module")
def audios():
    from hibari import Hibari

    reader = Hibari()
    return [soxr.resample(reader(text, seed=1), Hibari.sample_rate, RATE_HZ).astype("float32") for text in SENTENCES]


@pytest.fixture(scope="module")
def processor(base):
    return WhisperProcessor.from_pretrained(base)


@pytest.fixture(scope="module")
def whole(base):
    return load_whisper(base)


@pytest.fixture(scope="module")
def fitted(base):
    model = assemble(base, RankPlan(blocks={}), {})
    model.config.adaptwin_margin_s = MARGIN_S
    return model


@pytest.fixture(scope="module")
def hear(processor):
    """Return what a model hears through `pipeline`."""

    def heard(model, audio, **settings):
        parts = {"tokenizer": processor.tokenizer, "feature_extractor": processor.feature_extractor}
        return pipeline("automatic-speech-recognition", model=model, **parts)(audio.copy(), **settings)

    return heard


def words(text):
    return [word.strip(".,").lower() for word in text.split()]


def ends(chunks):
    return [chunk["timestamp"][1] for chunk in chunks]


def test_segments_have_the_same_times(hear, whole, fitted, audios):
    for audio in audios:
        expected, found = (hear(model, audio, return_timestamps=True) for model in (whole, fitted))
        assert words(found["text"]) == words(expected["text"])
        # A stock Whisper places the end of the last segment anywhere in the silence after it.
        np.testing.assert_allclose(ends(found["chunks"]), ends(expected["chunks"]), atol=1.0)


def test_words_have_the_same_times(hear, whole, fitted, audios):
    for audio in audios:
        expected, found = (hear(model, audio, return_timestamps="word")["chunks"] for model in (whole, fitted))
        assert [words(chunk["text"]) for chunk in found] == [words(chunk["text"]) for chunk in expected]
        np.testing.assert_allclose(ends(found), ends(expected), atol=0.3)
        assert np.abs(np.subtract(ends(found), ends(expected))).mean() < 0.05


@pytest.mark.parametrize("times", [True, "word"])
def test_a_long_recording_is_heard_to_its_end(hear, whole, fitted, audios, times):
    long = np.concatenate([*audios, *audios, *audios, *audios])
    assert len(long) > 35 * RATE_HZ
    expected, found = (hear(model, long, return_timestamps=times) for model in (whole, fitted))
    assert words(found["text"]) == words(expected["text"])
    assert ends(found["chunks"])[-1] == pytest.approx(ends(expected["chunks"])[-1], abs=0.3)


@pytest.mark.parametrize(("settings", "is_whole"), [({}, False), ({"return_timestamps": True}, True)])
def test_times_are_told_in_whole_windows(processor, fitted, audios, settings, is_whole):
    """Fitted windows are taught and judged without times."""
    features = processor(audios[0], sampling_rate=RATE_HZ, return_tensors="pt").input_features
    positions = []
    hook = fitted.model.encoder.register_forward_hook(lambda _m, _i, out: positions.append(out[0].shape[1]))
    fitted.generate(features, **settings)
    fitted.generate(input_features=features, **settings)
    hook.remove()
    assert len(positions) == 2
    assert [count == 1500 for count in positions] == [is_whole] * 2


def test_a_batch_of_unequal_clips_is_heard_as_each_alone(processor, fitted, audios):
    clips = [audios[0], audios[1][: 2 * RATE_HZ], audios[2]]

    def said(clips):
        features = processor(clips, sampling_rate=RATE_HZ, return_tensors="pt").input_features
        return processor.batch_decode(fitted.generate(features), skip_special_tokens=True)

    assert [words(text) for text in said(clips)] == [words(said([clip])[0]) for clip in clips]


def test_features_of_fewer_frames_are_heard(processor, fitted, audios):
    features = processor(audios[0], sampling_rate=RATE_HZ, return_tensors="pt").input_features
    frames = len(audios[0]) // 160 + 210
    with torch.no_grad():
        assert torch.equal(fitted.generate(features[..., :frames]), fitted.generate(features))

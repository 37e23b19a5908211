"""A real Whisper with fewer tokens hears in transformers what it heard with all of them: words, times, languages."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soxr
import torch
from numpy.typing import NDArray
from transformers import WhisperProcessor, pipeline

from adaptwin_core.domain.audio import SAMPLE_RATE_HZ
from adaptwin_core.domain.plan import RankPlan
from adaptwin_core.ml.base.models import resolve
from adaptwin_core.ml.evaluation.scoring import score
from adaptwin_core.ml.model.checkpoint import assemble
from tests.german_speech import SENTENCES as GERMAN
from tests.german_speech import read_aloud
from tests.reduced_base import reduced_base

ENGLISH = (
    "Please send the report to the office before nine tomorrow morning.",
    "She bought seven apples and a loaf of bread at the market.",
)
Sound = NDArray[np.float32]

pytestmark = [
    pytest.mark.release,
    pytest.mark.weights,
    # transformers' own: it passes on what it deprecates
    pytest.mark.filterwarnings("ignore::FutureWarning:transformers"),
]


@dataclass(frozen=True)
class Whisper:
    model: Any
    processor: Any

    @classmethod
    def of(cls, folder: Path) -> "Whisper":
        return cls(assemble(folder, RankPlan(blocks={}), {}), WhisperProcessor.from_pretrained(folder))

    def features(self, sound: Sound) -> torch.Tensor:
        return self.processor(sound, sampling_rate=SAMPLE_RATE_HZ, return_tensors="pt").input_features

    def generated(self, sound: Sound, **settings: Any) -> list[str]:
        """Return the tokens of a clip by what they spell, because their ids differ."""
        settings = {"max_new_tokens": 80, "do_sample": False} | settings
        (ids,) = self.model.generate(self.features(sound), **settings)
        return self.processor.tokenizer.convert_ids_to_tokens(ids)

    def heard(self, sound: Sound, **settings: Any) -> dict[str, Any]:
        """Return what `pipeline` hears with one beam: of its five, some follow tokens that were dropped."""
        parts = {"tokenizer": self.processor.tokenizer, "feature_extractor": self.processor.feature_extractor}
        hear = pipeline("automatic-speech-recognition", model=self.model, num_beams=1, **parts)
        return hear(sound.copy(), **settings)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return resolve("package:whisper-base", tmp_path_factory.getbasetemp() / "models")


@pytest.fixture(scope="module")
def whole(base: Path) -> Whisper:
    return Whisper.of(base)


@pytest.fixture(scope="module")
def reduced(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Whisper]:
    def made(*languages: str) -> Whisper:
        return Whisper.of(reduced_base(base, tmp_path_factory.mktemp("reduced"), languages))

    return made


@pytest.fixture(scope="module")
def in_german(reduced: Callable[..., Whisper]) -> Whisper:
    return reduced("de")


@pytest.fixture(scope="module")
def in_both(reduced: Callable[..., Whisper]) -> Whisper:
    return reduced("de", "en")


@pytest.fixture(scope="module")
def german() -> list[Sound]:
    return read_aloud()


@pytest.fixture(scope="module")
def english() -> list[Sound]:
    from hibari import Hibari

    reader = Hibari()
    return [soxr.resample(reader(text, seed=1), Hibari.sample_rate, SAMPLE_RATE_HZ) for text in ENGLISH]


def test_the_same_german_words_are_heard(whole: Whisper, in_german: Whisper, german: list[Sound]) -> None:
    texts = []
    for sound in german:
        expected, found = (one.generated(sound, language="de") for one in (whole, in_german))
        assert found == expected
        texts.append(in_german.processor.tokenizer.convert_tokens_to_string(found))
    assert score(GERMAN, texts, language="de").error_rate < 0.5, texts


def test_the_same_english_words_are_heard(
    whole: Whisper, reduced: Callable[..., Whisper], english: list[Sound]
) -> None:
    in_english = reduced("en")
    for sound in english:
        assert in_english.generated(sound, language="en") == whole.generated(sound, language="en")


def test_words_have_the_same_times(whole: Whisper, in_german: Whisper, german: list[Sound]) -> None:
    settings = {"return_timestamps": "word", "generate_kwargs": {"language": "de"}}
    for sound in german[:2]:
        expected, found = (one.heard(sound, **settings) for one in (whole, in_german))
        assert found == expected
        assert len(found["chunks"]) > 3


def test_a_prompt_is_followed_as_before(whole: Whisper, in_german: Whisper, german: list[Sound]) -> None:
    def prompted(one: Whisper, prompt: str) -> list[str]:
        ids = one.processor.get_prompt_ids(prompt, return_tensors="pt")
        return one.generated(german[0], language="de", prompt_ids=ids)

    expected, found = (prompted(one, "Es geht um Bauarbeiten in Straßenbahnen.") for one in (whole, in_german))
    assert found == expected
    assert found != in_german.generated(german[0], language="de")


def test_the_language_is_found_as_before(
    whole: Whisper, in_both: Whisper, german: list[Sound], english: list[Sound]
) -> None:
    for sound, language in ((german[0], "german"), (english[0], "english")):
        expected, found = (one.heard(sound, return_language=True, return_timestamps=True) for one in (whole, in_both))
        assert found == expected
        assert [chunk["language"] for chunk in found["chunks"]] == [language]


def test_german_is_translated_as_before(whole: Whisper, in_both: Whisper, german: list[Sound]) -> None:
    for sound in german[:2]:
        expected, found = (one.generated(sound, language="de", task="translate") for one in (whole, in_both))
        assert found == expected
        assert found != in_both.generated(sound, language="de")


def test_a_long_recording_is_heard_as_before(whole: Whisper, in_german: Whisper, german: list[Sound]) -> None:
    """Its later windows are told the words of the earlier ones, after a token that says so."""
    long = np.concatenate([np.pad(sound, (0, SAMPLE_RATE_HZ)) for sound in german * 3])
    assert len(long) > 35 * SAMPLE_RATE_HZ

    def said(one: Whisper) -> dict[str, Any]:
        asked = {"language": "de", "condition_on_prev_tokens": True}
        return one.heard(long, return_timestamps=True, generate_kwargs=asked)

    expected, found = said(whole), said(in_german)
    assert found == expected
    assert len(found["chunks"]) > 4

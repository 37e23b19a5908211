"""Where an empty transcript says that nobody speaks, the recording is kept as that: silence is what it should hold."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from adaptwin_core.speech import ingest
from adaptwin_core.speech.annotations import Annotation
from adaptwin_core.speech.corpus import Corpus
from tests.unit.speech.sounds import RATE_HZ, Floats, build, rejects, voice, warnings, write

SILENCE = np.zeros(3 * RATE_HZ, np.float32)


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return what reads sounds, each of which has a text ("" is one) or None."""

    def read_them(sounds: Mapping[str, tuple[Floats, str | None]]) -> Corpus:
        annotations = {name: Annotation(text) for name, (_, text) in sounds.items() if text is not None}
        monkeypatch.setattr(ingest, "match", lambda *_found: annotations)
        for name, (sound, _) in sounds.items():
            write(tmp_path / "in" / name, sound, subtype="PCM_16")
        return build(tmp_path / "in", tmp_path / "out")

    return read_them


def test_silence_is_refused_unless_it_is_said_to_be_that(read) -> None:
    corpus = read(
        {
            "said.wav": (SILENCE, ""),
            "unsaid.wav": (SILENCE[: 2 * RATE_HZ], None),
            "claimed.wav": (SILENCE[:RATE_HZ], "words"),
            "speech.wav": (voice(3.0), "words"),
        }
    )
    assert rejects(corpus) == {"unsaid.wav": "silent", "claimed.wav": "silent"}
    assert {clip.recording: clip.text for clip in corpus.clips} == {"said.wav": "", "speech.wav": "words"}


def test_nobody_speaks_in_any_piece_of_a_long_recording_in_which_nobody_speaks(read) -> None:
    noise = np.random.default_rng(0).normal(0, 0.01, 70 * RATE_HZ).astype(np.float32)
    sound = np.concatenate([noise, np.zeros(40 * RATE_HZ, np.float32)])
    corpus = read({"noise.wav": (sound, ""), "speech.wav": (voice(3.0), "words")})
    assert {clip.text for clip in corpus.clips if clip.recording == "noise.wav"} == {""}
    assert corpus.seconds == pytest.approx(113.0)
    assert warnings(corpus) == {"no_test": 1}


def test_a_long_recording_with_no_known_text_drops_its_silence_as_ever(read) -> None:
    corpus = read({"a.wav": (np.concatenate([voice(40.0), np.zeros(60 * RATE_HZ, np.float32)]), None)})
    assert warnings(corpus)["silent_parts"] >= 1
    assert corpus.seconds < 80


def test_what_is_held_out_holds_words(read) -> None:
    noise = np.random.default_rng(0).normal(0, 0.01, (9, RATE_HZ)).astype(np.float32)
    sounds: dict[str, tuple[Floats, str | None]] = {f"noise{i}.wav": (noise[i], "") for i in range(9)}
    sounds |= {f"speech{i}.wav": (voice(1.0, i), f"some words {i}") for i in range(12)}
    corpus = read(sounds)
    for split in ("test", "valid"):
        assert corpus.split(split)
        assert all(clip.text for clip in corpus.split(split))
    assert sum(clip.text == "" for clip in corpus.split("train")) == 9


def test_a_set_whose_only_transcripts_are_empty_teaches_no_words(read) -> None:
    corpus = read({"noise.wav": (SILENCE, ""), "a.wav": (voice(3.0, 1), None), "b.wav": (voice(3.0, 2), None)})
    assert not corpus.is_transcribed

"""The demo's own speech: fair splits, labelled, repeatable."""

import csv
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from bench.demo import speech
from bench.demo.espeak import espeak
from bench.demo.speech import Sentence


def test_sentences_are_many_varied_and_spelled_out() -> None:
    sentences = [sentence.text for sentence in speech.speaker_sentences()]
    words = [re.findall(r"[\w']+", text.lower()) for text in sentences]
    assert len(sentences) > 350
    assert len(set(sentences)) == len(sentences)
    assert not any(re.search(r"\d", text) for text in sentences)
    assert all(8 <= len(found) <= 18 for found in words)
    assert len({word for found in words for word in found}) > 2000


def test_what_is_held_out_is_never_trained_on_by_any_voice() -> None:
    speaker, others = speech.speaker_sentences(), speech.other_sentences()
    trained = {sentence.text for sentence in speaker + others if sentence.split != "test"}
    held_out = [sentence.text for sentence in speaker + others if sentence.split == "test"]
    assert not trained & set(held_out)
    assert Counter(sentence.split for sentence in speaker)["test"] >= 40
    assert Counter(sentence.split for sentence in others)["test"] >= 20


def digests_of_a_fresh_process() -> str:
    script = (
        "import hashlib; from bench.demo.espeak import espeak\n"
        "with espeak('en-us', words_per_minute=165) as speak:\n"
        "    print([hashlib.sha256(speak(text).tobytes()).hexdigest() for text in ('A cup of tea.', 'Two cups.')])"
    )
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout


def test_espeak_speaks_the_same_in_every_run() -> None:
    assert digests_of_a_fresh_process() == digests_of_a_fresh_process()


def test_espeak_speaks_at_a_person_s_pace_and_refuses_unknown_voices() -> None:
    with espeak("en-us", words_per_minute=165) as speak:
        short, longer = speak("A cup of tea."), speak("Two cups of tea and a biscuit.")
        assert speak.rate_hz == 22050
    assert 0.5 < len(short) / 22050 < 3
    assert len(longer) > len(short)
    assert 0.05 < np.abs(short).max() <= 1
    with pytest.raises(ValueError, match="no voice"), espeak("no-such-voice", words_per_minute=165):
        pass


def test_speech_is_made_once_as_an_audio_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = [Sentence("The kettle is whistling.", "train"), Sentence("Nobody noticed the painting.", "test")]
    monkeypatch.setattr(speech, "speaker_sentences", lambda: few)
    monkeypatch.setattr(speech, "other_sentences", lambda: few * 2)
    said: list[str] = []
    speaker, others = speech.make_speech(tmp_path, said.append)
    rows = list(csv.DictReader((speaker / "metadata.csv").open()))
    assert [(row["transcription"], row["split"]) for row in rows] == [(s.text, s.split) for s in few]
    assert len(list(others.glob("*.flac"))) == 4
    takes = [soundfile.read(others / f"others-{i:04d}.flac") for i in (0, 2)]  # one sentence, two voices
    assert all(rate == 16000 for _, rate in takes)
    assert takes[0][0].shape != takes[1][0].shape or not np.allclose(takes[0][0], takes[1][0])
    assert "synthetic" in (tmp_path / "README.md").read_text().lower()
    assert len(said) == 2
    speech.make_speech(tmp_path, said.append)
    assert len(said) == 2

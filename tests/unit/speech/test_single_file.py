"""One stranger's file is read as those of a dataset are, or refused with what to do."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.speech.single_file import read_file
from tests.unit.speech.sounds import RATE_HZ, voice


@pytest.mark.parametrize(("name", "rate_hz"), [("a.wav", 16_000), ("a.flac", 48_000), ("a.ogg", 24_000)])
def test_any_form_and_rate_becomes_16_khz(tmp_path: Path, name: str, rate_hz: int) -> None:
    soundfile.write(tmp_path / name, voice(2.0, rate_hz=rate_hz), rate_hz)
    (tmp_path / name).rename(tmp_path / "recording")
    samples = read_file(tmp_path / "recording", max_s=10)
    assert samples.dtype == np.int16
    assert len(samples) == pytest.approx(2 * RATE_HZ, rel=0.02)


def test_silence_is_heard_too(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(RATE_HZ, np.float32), RATE_HZ)
    assert not read_file(tmp_path / "a.wav", max_s=10).any()


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "empty_file"), (b"PK\x03\x04" + bytes(60), "not_audio"), (b"not sound at all", "not_audio")],
)
def test_what_is_not_audio_is_refused(tmp_path: Path, content: bytes, code: str) -> None:
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(InvalidAudio) as refusal:
        read_file(tmp_path / "a.wav", max_s=10)
    assert refusal.value.code == code


@pytest.mark.parametrize(("seconds", "code"), [(0.1, "too_short"), (3.0, "too_long")])
def test_too_much_and_too_little_are_refused(tmp_path: Path, seconds: float, code: str) -> None:
    soundfile.write(tmp_path / "a.wav", voice(seconds), RATE_HZ)
    with pytest.raises(InvalidAudio) as refusal:
        read_file(tmp_path / "a.wav", max_s=2)
    assert refusal.value.code == code

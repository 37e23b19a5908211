"""A clip of 30 s keeps its transcript, whatever a codec or a recorder adds at its ends; speech is never cut off."""

from pathlib import Path

import numpy as np
import pytest

from tests.unit.speech.sounds import RATE_HZ, Floats, build, encode, warnings, write

TEXT = "all that was said in half a minute and a little more"


def speech(seconds: float, rate_hz: int = RATE_HZ) -> Floats:
    """Return sound that is loud from its first to its last sample, over the noise of a room."""
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    tone = np.sin(2 * np.pi * 180 * time_s) * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * time_s))
    return (0.3 * tone + np.random.default_rng(0).normal(0, 0.001, len(time_s))).astype(np.float32)


def room(seconds: float, level: float = 0.0003) -> Floats:
    return np.random.default_rng(1).normal(0, level, round(seconds * RATE_HZ)).astype(np.float32)


def silence(seconds: float) -> Floats:
    return np.zeros(round(seconds * RATE_HZ), np.float32)


CODECS: dict[str, dict[str, str]] = {  # name -> how it is encoded
    "aac.m4a": {"codec": "aac"},
    "fragments.mp4": {"codec": "aac", "movflags": "frag_keyframe+empty_moov"},
    "adts.aac": {"codec": "aac", "container": "adts"},
    "xing.mp3": {"codec": "libmp3lame"},
    "no_xing.mp3": {"codec": "libmp3lame", "write_xing": "0"},
    "o.opus": {"codec": "libopus", "container": "ogg"},
    "w.webm": {"codec": "libopus", "container": "webm"},
    "m.mka": {"codec": "aac", "container": "matroska"},
}


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100, 48_000])
def test_thirty_seconds_in_any_codec_keep_their_text(tmp_path: Path, rate_hz: int) -> None:
    folder = tmp_path / "in"
    names = [name for name, form in CODECS.items() if rate_hz != 44_100 or form["codec"] != "libopus"]
    for number, name in enumerate(names):
        form = dict(CODECS[name])
        samples = speech(30.0, rate_hz) * (1 - 0.05 * number)
        encode(folder / name, samples, rate_hz, form.pop("codec"), **form)
    write(folder / "v.ogg", 0.5 * speech(30.0, rate_hz), rate_hz, format="OGG", subtype="VORBIS")
    for name in (*names, "v.ogg"):
        (folder / f"{name.rpartition('.')[0]}.txt").write_text(TEXT)
    corpus = build(folder, tmp_path / "out")
    assert {clip.recording for clip in corpus.clips} == {*names, "v.ogg"}
    for clip in corpus.clips:
        assert clip.text is not None, clip.recording
        assert 29.97 < clip.seconds <= 30.0, clip.recording
    assert "long_clip_unlabelled" not in warnings(corpus)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (silence(0), silence(0.05)),
        (silence(0.05), silence(0)),
        (silence(1.0), silence(12.0)),
        (room(0.4), room(0.02)),
        (silence(0), room(20.0)),
        (room(0.1, 0.002), room(0.1, 0.002)),
    ],
)
def test_quiet_ends_are_left_out_and_all_the_speech_is_kept(tmp_path: Path, start: Floats, end: Floats) -> None:
    said = speech(29.9)
    write(tmp_path / "in" / "a.wav", np.concatenate([start, said, end]), subtype="PCM_16")
    (tmp_path / "in" / "a.txt").write_text(TEXT)
    corpus = build(tmp_path / "in", tmp_path / "out")
    [clip] = corpus.clips
    assert clip.text == TEXT
    assert clip.seconds <= 30.0
    is_long = len(start) + len(said) + len(end) > 30 * RATE_HZ
    assert warnings(corpus) == {"no_test": 1} | ({"ends_trimmed": 1} if is_long else {})
    kept = corpus.audio(clip)
    overlap = np.correlate(kept, said[: len(said) // 4 * 4], mode="valid")
    at = int(np.argmax(overlap))
    assert np.abs(kept[at : at + len(said)] - said).max() < 1e-3


@pytest.mark.parametrize("seconds", [30.02, 30.1, 31.0, 45.0])
def test_speech_over_thirty_seconds_is_never_cut_off(tmp_path: Path, seconds: float) -> None:
    said = speech(seconds)
    write(tmp_path / "in" / "a.wav", said, subtype="PCM_16")
    (tmp_path / "in" / "a.txt").write_text(TEXT)
    corpus = build(tmp_path / "in", tmp_path / "out")
    assert {clip.text for clip in corpus.clips} == {None}
    assert corpus.seconds == pytest.approx(seconds, abs=1e-3)
    assert warnings(corpus)["long_clip_unlabelled"] == 1


def test_over_by_much_speech_in_a_codec_is_not_taken_for_padding(tmp_path: Path) -> None:
    encode(tmp_path / "in" / "a.mp3", speech(30.2), RATE_HZ, "libmp3lame")
    (tmp_path / "in" / "a.txt").write_text(TEXT)
    corpus = build(tmp_path / "in", tmp_path / "out")
    assert {clip.text for clip in corpus.clips} == {None}
    assert corpus.seconds == pytest.approx(30.2, abs=0.01)

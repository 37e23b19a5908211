"""How channels become one, how loud full scale is, and which sound track is read."""

from pathlib import Path

import numpy as np
import pytest

from adaptwin_core.speech.corpus import Corpus
from tests.unit.speech.sounds import RATE_HZ, Floats, build, encode, voice, warnings, write

SAID = voice(3.0, 1)
OTHER = voice(3.0, 2)
HUM = (0.02 * np.sin(2 * np.pi * 50 * np.arange(len(SAID)) / RATE_HZ)).astype(np.float32)
HISS = np.random.default_rng(0).normal(0, 0.001, len(SAID)).astype(np.float32)
NOTHING = np.zeros_like(SAID)


def heard(folder: Path, *channels: Floats, subtype: str = "FLOAT", scale: float = 1.0) -> tuple[Floats, Corpus]:
    """Return what is heard of a file of these channels."""
    write(folder / "in" / "a.wav", np.stack(channels, axis=1) * scale, subtype=subtype)
    corpus = build(folder / "in", folder / "out")
    return corpus.audio(corpus.clips[0]), corpus


def cosine(a: Floats, b: Floats) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


@pytest.mark.parametrize(
    "channels",
    [
        (SAID, -SAID),
        (SAID, -0.95 * SAID),
        (0.3 * SAID, -SAID),
        (SAID + HUM, -SAID + HUM),
        (SAID + 0.3, -0.9 * SAID + 0.3),
        (SAID, -SAID, NOTHING, NOTHING),
    ],
)
def test_channels_that_cancel_fall_back_to_the_loudest(tmp_path: Path, channels: tuple[Floats, ...]) -> None:
    found, corpus = heard(tmp_path, *channels)
    assert warnings(corpus) == {"one_channel": 1, "no_test": 1}
    loudest = max(channels, key=lambda channel: float(channel.std()))
    assert np.abs(found - loudest).max() < 1e-3


@pytest.mark.parametrize(
    "channels",
    [
        (SAID, SAID),
        (SAID, OTHER),
        (SAID, -OTHER),
        (SAID, NOTHING),
        (NOTHING, SAID + HISS),
        (SAID, 0.5 * np.roll(SAID, 160)),
        (NOTHING, NOTHING, SAID, NOTHING, NOTHING, NOTHING),
        (SAID, OTHER, voice(3.0, 3), voice(3.0, 4)),
        (SAID + 0.4, SAID - 0.4),
    ],
)
def test_channels_that_add_up_are_averaged(tmp_path: Path, channels: tuple[Floats, ...]) -> None:
    found, corpus = heard(tmp_path, *channels)
    assert warnings(corpus) == {"no_test": 1}
    assert np.abs(found - np.mean(channels, axis=0)).max() < 1e-3


@pytest.mark.parametrize("full_scale", [2.0**15, 2.0**23, 2.0**31])
def test_floats_at_integer_scale_are_scaled_down_and_that_is_told(tmp_path: Path, full_scale: float) -> None:
    found, corpus = heard(tmp_path, SAID, scale=full_scale)
    assert warnings(corpus) == {"rescaled": 1, "no_test": 1}
    assert np.abs(found - SAID).max() < 1e-3


def test_quiet_sound_at_integer_scale_keeps_its_level(tmp_path: Path) -> None:
    found, _ = heard(tmp_path, 0.05 * SAID, scale=2.0**15)
    assert np.abs(found - 0.05 * SAID).max() < 1e-3


def test_a_field_recorders_floats_are_scaled_to_their_peak(tmp_path: Path) -> None:
    found, corpus = heard(tmp_path, SAID, scale=30.0)
    assert warnings(corpus) == {"rescaled": 1, "no_test": 1}
    assert cosine(found, SAID) > 0.999
    assert np.abs(found).max() == pytest.approx(1.0, abs=1e-3)


def test_cancelling_channels_at_integer_scale_are_both_told(tmp_path: Path) -> None:
    found, corpus = heard(tmp_path, SAID, -SAID, scale=2.0**15)
    assert warnings(corpus) == {"one_channel": 1, "rescaled": 1, "no_test": 1}
    assert np.abs(found - SAID).max() < 1e-3


def test_floats_a_little_over_one_are_clipped_as_ever(tmp_path: Path) -> None:
    _, corpus = heard(tmp_path, SAID, scale=2.0 / float(np.abs(SAID).max()))
    assert warnings(corpus) == {"clipped": 1, "no_test": 1}


def test_what_cancels_only_after_minutes_is_still_told(tmp_path: Path) -> None:
    long = np.concatenate([0.02 * voice(40.0, 3), voice(80.0, 4)])
    signs = np.concatenate([np.ones(40 * RATE_HZ), -np.ones(80 * RATE_HZ)])
    write(tmp_path / "in" / "a.flac", np.stack([long, signs * long], axis=1))
    corpus = build(tmp_path / "in", tmp_path / "out")
    assert corpus.seconds == pytest.approx(120.0)
    found = np.concatenate([corpus.audio(clip) for clip in corpus.clips])
    assert np.abs(np.abs(found) - np.abs(long)).max() < 1e-3
    assert warnings(corpus)["one_channel"] == 1


def test_a_track_that_is_not_read_gives_way_to_one_that_is(tmp_path: Path) -> None:
    for name, codecs in (("a.mkv", ("ac3", "aac")), ("b.mkv", ("eac3", "libopus", "aac")), ("c.mp4", ("ac3", "aac"))):
        encode(tmp_path / "in" / name, voice(2.0, ord(name[0]), 48_000), 48_000, *codecs)
    corpus = build(tmp_path / "in", tmp_path / "out")
    assert not corpus.rejects
    assert [note.message for note in corpus.notes] == [
        "it holds 2 sound tracks; number 2 is used",
        "it holds 3 sound tracks; number 2 is used",
        "it holds 2 sound tracks; number 2 is used",
    ]


def test_a_file_with_no_readable_track_says_its_codec(tmp_path: Path) -> None:
    encode(tmp_path / "in" / "a.mkv", voice(2.0, 1, 48_000), 48_000, "ac3")
    write(tmp_path / "in" / "good.wav", voice(1.0))
    [reject] = build(tmp_path / "in", tmp_path / "out").rejects
    assert reject.code == "decode_failed"
    assert reject.reason == "its sound is coded as ac3; save it as wav, flac or opus"

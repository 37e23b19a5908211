"""The constants of sound are those that Whisper was trained with."""

import pytest

from adaptwin_core.domain import audio


def test_a_window_is_what_whisper_takes():
    assert (audio.WINDOW_SAMPLES, audio.FRAMES_PER_S, audio.WINDOW_FRAMES) == (480_000, 100, 3_000)
    assert audio.WINDOW_FRAMES * audio.HOP_SAMPLES == audio.WINDOW_SAMPLES


@pytest.mark.parametrize(("seconds", "samples"), [(0.0, 0), (0.15, 2_400), (30, 480_000), (0.00009, 1)])
def test_a_time_holds_whole_samples(seconds: float, samples: int):
    assert audio.samples_of(seconds) == samples
    assert audio.seconds_of(samples) == pytest.approx(seconds, abs=1 / audio.SAMPLE_RATE_HZ)

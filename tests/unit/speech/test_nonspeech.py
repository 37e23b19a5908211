"""Sound in which nobody speaks."""

import numpy as np

from adaptwin_core.domain.audio import WINDOW_SAMPLES
from adaptwin_core.speech.nonspeech import FAINT, LOUD, nonspeech


def test_sounds_fill_a_window_at_loudnesses_of_their_own():
    sounds = nonspeech(10, seed=0)
    assert all(sound.dtype == np.float32 and len(sound) == WINDOW_SAMPLES for sound in sounds)
    loudness = [float(np.sqrt((sound**2).mean())) for sound in sounds]
    assert all(FAINT <= rms <= LOUD for rms in loudness)
    assert len({round(rms, 5) for rms in loudness}) == 10


def test_the_seed_makes_them():
    first, again, other = (nonspeech(5, seed) for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(first, other, strict=True))

"""Synthetic sound in which nobody speaks, so that a model learns to write nothing. 16 kHz mono float32."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from adaptwin_core.domain.audio import SAMPLE_RATE_HZ, WINDOW_SAMPLES

Sound = npt.NDArray[np.float32]

FAINT, LOUD = 0.002, 0.1  # root mean square; full scale is 1
HUM_HZ = (50.0, 60.0)


def nonspeech(count: int, seed: int) -> list[Sound]:
    """Return sounds of 30 s, in turn white, pink and brown noise, hum and chords, each at a random loudness."""
    rng = np.random.default_rng(seed)
    makers: tuple[Callable[[np.random.Generator], npt.NDArray[np.float64]], ...] = (
        _white,
        _pink,
        _brown,
        _hum,
        _chords,
    )
    sounds = []
    for index in range(count):
        rms = np.exp(rng.uniform(np.log(FAINT), np.log(LOUD)))
        sound = makers[index % len(makers)](rng)
        sounds.append((rms * sound / np.sqrt((sound**2).mean())).astype(np.float32))
    return sounds


def _white(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    return rng.standard_normal(WINDOW_SAMPLES)


def _pink(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    return _coloured(rng, 0.5)


def _brown(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    return _coloured(rng, 1.0)


def _coloured(rng: np.random.Generator, power: float) -> npt.NDArray[np.float64]:
    """Return noise whose amplitude falls as 1 / frequency ** `power`."""
    spectrum = np.fft.rfft(_white(rng))
    spectrum[1:] /= np.arange(1, len(spectrum)) ** power
    spectrum[0] = 0
    return np.fft.irfft(spectrum)


def _hum(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    seconds = np.arange(WINDOW_SAMPLES) / SAMPLE_RATE_HZ
    base = rng.choice(HUM_HZ)
    sound = 0.05 * _white(rng)
    for k in range(1, 8):
        sound += np.sin(2 * np.pi * base * k * seconds + rng.uniform(0, 6)) / k
    return sound


def _chords(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return chords of random tones that are struck and fade, one after the other."""
    sound = np.zeros(WINDOW_SAMPLES)
    start = 0
    while start < len(sound):
        length = min(int(rng.uniform(0.3, 2.0) * SAMPLE_RATE_HZ), len(sound) - start)
        seconds = np.arange(length) / SAMPLE_RATE_HZ
        for tone in 110.0 * 2 ** (rng.choice(37, 3, replace=False) / 12):
            overtones = sum(np.sin(2 * np.pi * tone * k * seconds) / k**2 for k in (1, 2, 3))
            sound[start : start + length] += overtones * np.exp(-rng.uniform(0.5, 4) * seconds)
        start += length
    return sound

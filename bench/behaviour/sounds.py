"""Sound in which nobody speaks, and ten minutes in which somebody does. 16 kHz mono float32.

Sounds of these kinds, though not these, are among what tuning learns from (speech/nonspeech.py).
"""

import numpy as np

from adaptwin_core.domain.audio import SAMPLE_RATE_HZ
from adaptwin_core.domain.errors import InvalidInput
from adaptwin_core.speech.corpus import Corpus

SECONDS = 60
CHORDS_HZ = ((220.0, 277.2, 329.6), (196.0, 246.9, 293.7), (174.6, 220.0, 261.6), (164.8, 207.7, 246.9))
CHORD_S = 1.5
PAUSE = np.zeros(SAMPLE_RATE_HZ // 2, np.float32)


def wordless(seed: int = 0) -> dict[str, np.ndarray]:
    """Return a minute each of silence, white noise, rumble and music."""
    rng = np.random.default_rng(seed)
    white = rng.standard_normal(SECONDS * SAMPLE_RATE_HZ)
    rumble = np.cumsum(white - white.mean())
    rumble -= np.linspace(rumble[0], rumble[-1], len(rumble))
    return {
        "silence": np.zeros(len(white), np.float32),
        "white noise": _loud(white, 0.05),
        "rumble": _loud(rumble, 0.1),
        "music": _loud(_music(len(white)), 0.1),
    }


def _music(num_samples: int) -> np.ndarray:
    """Return plucked chords with overtones, over and over."""
    seconds = np.arange(num_samples) / SAMPLE_RATE_HZ
    which, within = np.divmod(seconds, CHORD_S)
    sound = np.zeros(num_samples)
    for index, chord in enumerate(CHORDS_HZ):
        is_now = which.astype(int) % len(CHORDS_HZ) == index
        for tone in chord:
            for overtone in (1, 2, 3):
                sound += is_now * np.sin(2 * np.pi * overtone * tone * seconds) / overtone**2
    sound *= np.exp(-2 * within)
    return sound


def _loud(sound: np.ndarray, rms: float) -> np.ndarray:
    scaled: np.ndarray = rms * sound / np.sqrt((sound**2).mean())
    return scaled.astype(np.float32)


def ten_minutes(speech: Corpus) -> tuple[np.ndarray, str]:
    """Return held-out clips with half a second between them, again and again up to ten minutes, and their words."""
    clips = [clip for clip in speech.split("test") if clip.text]
    if not clips:
        raise InvalidInput("none of the held-out clips has a transcript: give speech with transcripts")
    sound: list[np.ndarray] = []
    words: list[str] = []
    num_samples = 0
    while num_samples < 600 * SAMPLE_RATE_HZ:
        clip = clips[len(words) % len(clips)]
        sound += [speech.audio(clip), PAUSE]
        words.append(clip.text or "")
        num_samples += len(sound[-2]) + len(PAUSE)
    return np.concatenate(sound), " ".join(words)

"""The constants of the sound that Whisper takes, and the conversion between samples and seconds.

They are fixed by the training of Whisper (Radford et al. 2022, section 2.2) and are the same for all of its sizes.
"""

SAMPLE_RATE_HZ = 16_000  # of one channel
WINDOW_S = 30  # what the encoder takes at once; shorter sound is padded with silence
WINDOW_SAMPLES = WINDOW_S * SAMPLE_RATE_HZ  # 480,000

FFT_SAMPLES = 400  # 25 ms of sound make one frame of the mel spectrogram
HOP_SAMPLES = 160  # 10 ms lie between the starts of two frames
FRAMES_PER_S = SAMPLE_RATE_HZ // HOP_SAMPLES  # 100
WINDOW_FRAMES = WINDOW_S * FRAMES_PER_S  # 3,000

# A fitted window ends this long after the sound in it. Whisper itself was trained on whole windows only.
FITTED_MARGIN_S = 0.5


def seconds_of(num_samples: int) -> float:
    """Return how long so many samples last."""
    return num_samples / SAMPLE_RATE_HZ


def samples_of(seconds: float) -> int:
    """Return how many whole samples fit into a time."""
    return int(seconds * SAMPLE_RATE_HZ)


def window_frames(num_samples: int, margin_s: float | None) -> int:
    """Return how many frames the window of a sound has: an even number, because the encoder halves it.

    Args:
        margin_s: how long after the sound the window ends. None stands for a whole window.
    """
    if margin_s is None:
        return WINDOW_FRAMES
    half = -(-(num_samples + samples_of(margin_s)) // (2 * HOP_SAMPLES))
    return min(WINDOW_FRAMES, 2 * half)

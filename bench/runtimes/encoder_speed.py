"""How fast CTranslate2 encoders are beside each other: in one process, turn by turn, so noise hits all alike."""

import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np

from adaptwin_core.domain.audio import WINDOW_FRAMES

NUM_TURNS = 25


def encoder_speed(folders: dict[str, Path], num_mel_bins: int, threads: int) -> dict[str, dict[str, float]]:
    """Return the median and the least seconds that each model's encoder takes for one window of 30 s."""
    from ctranslate2 import StorageView
    from ctranslate2.models import Whisper

    features = np.random.default_rng(0).standard_normal((1, num_mel_bins, WINDOW_FRAMES)).astype(np.float32)
    view = StorageView.from_array(features)
    models: dict[str, Any] = {
        name: Whisper(str(folder), device="cpu", intra_threads=threads) for name, folder in folders.items()
    }
    seconds: dict[str, list[float]] = {name: [] for name in models}
    for model in models.values():
        model.encode(view, to_cpu=True)
    for _ in range(NUM_TURNS):
        for name, model in models.items():
            began = time.perf_counter()
            model.encode(view, to_cpu=True)
            seconds[name].append(time.perf_counter() - began)
    return {
        name: {"median_s": round(statistics.median(times), 4), "least_s": round(min(times), 4)}
        for name, times in seconds.items()
    }

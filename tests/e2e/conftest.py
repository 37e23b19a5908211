"""Speech for the tests of the whole service."""

from pathlib import Path

import numpy as np
import pytest
import soundfile


@pytest.fixture(scope="session")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty clips of coloured noise with transcripts: enough for a model that knows nothing."""
    folder = tmp_path_factory.mktemp("noise")
    rng = np.random.default_rng(0)
    for index in range(20):
        samples = np.cumsum(rng.standard_normal(16_000 * rng.integers(2, 5)))
        soundfile.write(
            folder / f"clip{index:02d}.flac", (0.5 * samples / np.abs(samples).max()).astype(np.float32), 16_000
        )
        (folder / f"clip{index:02d}.txt").write_text(f"sentence number {index}")
    return folder

"""Speech and a base model for the tests of the whole service."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from adaptwin_core.ml.base.models import resolve
from adaptwin_core.ml.base.whisper_files import SIDECARS


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


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A two-layer Whisper of width 64 with random weights and the real tokenizer."""
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    real = resolve("package:whisper-tiny.en", tmp_path_factory.mktemp("cache"))
    sizes = {
        "d_model": 64,
        "encoder_layers": 2,
        "decoder_layers": 1,
        "encoder_attention_heads": 2,
        "decoder_attention_heads": 2,
    }
    config = WhisperConfig.from_pretrained(real, **sizes, encoder_ffn_dim=256, decoder_ffn_dim=256)
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("random") / "tiny-random"
    WhisperForConditionalGeneration(config).save_pretrained(folder)
    for name in SIDECARS:
        if (real / name).exists():
            shutil.copyfile(real / name, folder / name)
    return folder

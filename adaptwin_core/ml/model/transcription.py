"""Transcription, the same way for every model that is compared: greedy, without timestamps, one clip a window."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from transformers import WhisperForConditionalGeneration

from adaptwin_core.domain.audio import seconds_of
from adaptwin_core.domain.progress import Progress, no_progress
from adaptwin_core.ml.model.featurizer import Featurizer
from adaptwin_core.speech.corpus import Clip, Corpus

BATCH = 8
MIN_NEW_TOKENS = 16
MAX_NEW_TOKENS = 440


@dataclass(frozen=True)
class Transcripts:
    """Texts in the order of the clips, and the seconds of compute for how many seconds of audio."""

    texts: list[str]
    compute_s: float
    audio_s: float

    @property
    def compute_s_per_audio_s(self) -> float:
        return self.compute_s / self.audio_s


def most_tokens(audio: np.ndarray, featurizer: Featurizer) -> int:
    """Return the limit on the tokens that a clip of 16 kHz samples is transcribed to.

    Nobody speaks as fast as that. A model that repeats itself endlessly is stopped early, and its errors still show.
    """
    seconds = seconds_of(len(audio))
    return min(MAX_NEW_TOKENS, int(MIN_NEW_TOKENS + featurizer.most_tokens_per_s * seconds))


def transcribe_batch(
    model: WhisperForConditionalGeneration, featurizer: Featurizer, audios: Sequence[np.ndarray]
) -> list[str]:
    """Transcribe up to `BATCH` clips of at most 30 s, 16 kHz mono float32."""
    limit = max(most_tokens(audio, featurizer) for audio in audios)
    settings: dict[str, Any] = (
        {"language": featurizer.language, "task": "transcribe"} if featurizer.multilingual else {}
    )
    with torch.inference_mode():
        ids = model.generate(
            input_features=featurizer.features(audios).to(model.device, model.dtype),
            do_sample=False,
            num_beams=1,
            max_new_tokens=limit,
            return_timestamps=False,  # overrides the model's own settings
            **settings,
        )
    return [text.strip() for text in featurizer.tokenizer.batch_decode(ids, skip_special_tokens=True)]


def transcribe(
    model: WhisperForConditionalGeneration,
    featurizer: Featurizer,
    corpus: Corpus,
    clips: Sequence[Clip],
    progress: Progress = no_progress,
) -> Transcripts:
    """Transcribe clips of one corpus. `progress` is told of clips."""
    # Clips of similar length share a batch, so that a short one never waits for a long one.
    order = sorted(range(len(clips)), key=lambda index: clips[index].seconds)
    texts = [""] * len(clips)
    compute_s = 0.0
    for start in range(0, len(order), BATCH):
        batch = order[start : start + BATCH]
        audios = [corpus.audio(clips[index]) for index in batch]
        began = time.perf_counter()
        for index, text in zip(batch, transcribe_batch(model, featurizer, audios), strict=True):
            texts[index] = text
        compute_s += time.perf_counter() - began
        progress(min(start + BATCH, len(order)), len(order))
    return Transcripts(texts, compute_s, sum(clip.seconds for clip in clips))

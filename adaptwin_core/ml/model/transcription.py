"""Transcription, the same way for every model that is compared: greedy, without timestamps, one clip a window."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from transformers import WhisperForConditionalGeneration

from adaptwin_core.domain.audio import seconds_of
from adaptwin_core.domain.progress import Progress, no_progress
from adaptwin_core.ml.model.featurizer import Featurizer
from adaptwin_core.ml.model.modeling_adaptwin import AdaptwinWhisperConfig
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
    *,
    margin_s: float | None,
) -> Transcripts:
    """Transcribe clips of one corpus, one at a time, because each has a window of its own length.

    Args:
        progress: told of clips.
        margin_s: how long after the sound the windows end. None stands for whole windows, which alone a stock Whisper
            takes.

    Raises:
        ValueError: the model takes whole windows alone.
    """
    texts: list[str] = []
    compute_s = 0.0
    with windows_of(model, margin_s):
        for clip in clips[:1]:  # not counted: what comes first is slower
            transcribe_batch(model, featurizer, [corpus.audio(clip)])
        for clip in clips:
            audio = corpus.audio(clip)
            began = time.perf_counter()
            texts += transcribe_batch(model, featurizer, [audio])
            compute_s += time.perf_counter() - began
            progress(len(texts), len(clips))
    return Transcripts(texts, compute_s, sum(clip.seconds for clip in clips))


@contextmanager
def windows_of(model: WhisperForConditionalGeneration, margin_s: float | None) -> Iterator[None]:
    """Let a model hear in windows that end so long after the sound. Afterwards it has its own margin again."""
    config = model.config
    if not isinstance(config, AdaptwinWhisperConfig):
        if margin_s is not None:
            raise ValueError(f"a {type(model).__name__} takes whole windows alone")
        yield
        return
    own = config.adaptwin_margin_s
    config.adaptwin_margin_s = margin_s
    try:
        yield
    finally:
        config.adaptwin_margin_s = own

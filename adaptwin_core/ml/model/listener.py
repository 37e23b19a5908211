"""A finished model as a person tries it: a whole recording in, its words and their times out."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers.modeling_outputs import BaseModelOutput

from adaptwin_core.domain.audio import seconds_of
from adaptwin_core.domain.errors import InvalidInput
from adaptwin_core.domain.progress import Progress, no_progress
from adaptwin_core.domain.transcription import Segment, Transcription, Wanted
from adaptwin_core.ml.base.token_ids import END, first_timestamp, token_ids
from adaptwin_core.ml.model.alignment import Aligned, align
from adaptwin_core.ml.model.checkpoint import load_compressed
from adaptwin_core.ml.model.device import device
from adaptwin_core.ml.model.featurizer import Featurizer
from adaptwin_core.ml.model.spoken_words import WITHOUT_SPACES, segments_of, words_of
from adaptwin_core.ml.model.transcription import generate, most_tokens
from adaptwin_core.speech.sound.recording import SILENCE_PEAK, peak
from adaptwin_core.speech.sound.segment import Samples, pieces

FULL_SCALE = 1 << 15
SILENCE_NAMES = ("<|nospeech|>", "<|nocaptions|>")  # the second in Whisper's older tokenizers
# Whisper's own rule for a window in which nobody speaks: it probably is silent, and what was written is improbable.
SILENCE_PROBABILITY, IMPROBABLE = 0.6, -1.0


class Listener:
    """A published model in memory. It hears in the windows that it was published for."""

    def __init__(self, folder: Path, language: str) -> None:
        """Load a checkpoint.

        Raises:
            InvalidSpec: the model cannot transcribe that language.
        """
        self._featurizer = Featurizer(folder, language)
        self._model = load_compressed(folder).to(device())
        ids = token_ids(folder)
        self._end = ids[END]
        self._silence = next(ids[name] for name in SILENCE_NAMES if name in ids)
        self._not_words = {*self._featurizer.tokenizer.all_special_ids, self._end}
        self._first_time = first_timestamp(ids)

    def hear(self, samples: Samples, wanted: Wanted, progress: Progress = no_progress) -> Transcription:
        """Return what is said in 16 kHz mono samples of any length.

        Long recordings are cut at their quietest points, as speech to train on is.

        Args:
            wanted: in the language that this was made for.
            progress: told of samples.

        Raises:
            InvalidInput: the prompt holds a control token.
        """
        prompt = self._prompt_ids(wanted.prompt)
        texts, segments, at = list[str](), list[Segment](), 0
        for piece in pieces(iter([samples])):
            progress(at, len(samples))
            if peak(piece) >= SILENCE_PEAK:
                said, found = self._hear_piece(piece, wanted, prompt, seconds_of(at))
                texts += [said] if said else []
                segments += found
            at += len(piece)
        return Transcription(
            language=wanted.language,
            seconds=round(seconds_of(len(samples)), 3),
            text=("" if wanted.language in WITHOUT_SPACES else " ").join(texts),
            segments=tuple(segments),
        )

    def _hear_piece(
        self, piece: Samples, wanted: Wanted, prompt: torch.Tensor | None, offset_s: float
    ) -> tuple[str, Sequence[Segment]]:
        """Return the text of at most 30 s of sound, and its segments if times are wanted."""
        audio = piece.astype(np.float32) / FULL_SCALE
        features = self._featurizer.features([audio]).to(self._model.device, self._model.dtype)
        with torch.inference_mode():
            encoded = self._model.get_encoder()(features)
        tokens = self._written(encoded, most_tokens(audio, self._featurizer), wanted.temperature, prompt)
        if not tokens:
            return "", ()
        aligned = align(
            self._model,
            encoded,
            self._featurizer.prompt(),
            tokens,
            end=self._end,
            silence=self._silence,
            seconds=seconds_of(len(piece)),
        )
        if _is_silence(aligned):
            return "", ()
        segments: Iterator[Segment] = iter(())
        if wanted.times:
            words = words_of(self._featurizer.tokenizer, wanted.language, tokens, aligned)
            segments = segments_of(words, tokens, aligned, offset_s=offset_s)
        return self._featurizer.text(tokens), tuple(segments)

    def _written(
        self, encoded: BaseModelOutput, limit: int, temperature: float, prompt: torch.Tensor | None
    ) -> list[int]:
        """Return the tokens of the words that the model writes."""
        given: dict[str, Any] = {"encoder_outputs": encoded, "do_sample": temperature > 0}
        if temperature > 0:
            given["temperature"] = temperature
        if prompt is not None:
            given["prompt_ids"] = prompt.to(self._model.device)
            places = self._model.config.max_target_positions - len(prompt) - len(self._featurizer.prompt())
            limit = min(limit, places)
        ids = generate(self._model, self._featurizer, limit, **given)[0].tolist()
        return [token for token in ids if token not in self._not_words and token < self._first_time]

    def _prompt_ids(self, text: str) -> torch.Tensor | None:
        """Return the tokens of a prompt, the last ones if there are too many, as the model takes them."""
        if not text.strip():
            return None
        try:
            ids = self._featurizer.tokenizer.get_prompt_ids(text, return_tensors="pt")
        except ValueError as fault:
            raise InvalidInput("the prompt holds a control token, such as <|endoftext|>: leave it out") from fault
        most = self._model.config.max_target_positions // 2  # 224, the first of which says that a prompt follows
        return ids if len(ids) <= most else torch.cat([ids[:1], ids[len(ids) - most + 1 :]])


def _is_silence(aligned: Aligned) -> bool:
    is_improbable = float(aligned.log_probabilities.mean()) < IMPROBABLE
    return aligned.silence_probability > SILENCE_PROBABILITY and is_improbable

"""Audio to Whisper's input features, text to its tokens, and back. Shape letters: B audios, M mels, T frames,
L tokens.
"""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from transformers import WhisperFeatureExtractor, WhisperTokenizerFast

from adaptwin_core.domain import languages
from adaptwin_core.domain.audio import HOP_SAMPLES, SAMPLE_RATE_HZ, WINDOW_FRAMES
from adaptwin_core.ml.base.token_ids import is_multilingual, languages_of, token_ids
from adaptwin_core.ml.model.device import device
from adaptwin_core.ml.model.windows import MAX_LABEL_TOKENS

MAX_LETTERS_PER_S = 25  # nobody speaks faster
LEAST_TOKENS_PER_S = 12.0  # for languages whose tokens hold several letters


class Featurizer:
    """Whisper's own feature extractor and tokenizer, read from the folder of a model."""

    def __init__(self, folder: Path, language: str) -> None:
        """Read both.

        Args:
            language: Whisper's code for the language of the speech.

        Raises:
            InvalidSpec: the model cannot transcribe that language.
        """
        ids = token_ids(folder)
        languages.require(language, languages_of(ids), folder.name)
        self.language, self.multilingual = language, is_multilingual(ids)
        self._extractor = WhisperFeatureExtractor.from_pretrained(folder, local_files_only=True)
        self.tokenizer = WhisperTokenizerFast.from_pretrained(folder, local_files_only=True)
        if self.multilingual:
            self.tokenizer.set_prefix_tokens(language=language, task="transcribe", predict_timestamps=False)
        else:  # overrides its configuration
            self.tokenizer.language = self.tokenizer.task = None
            self.tokenizer.set_prefix_tokens(predict_timestamps=False)

    @cached_property
    def most_tokens_per_s(self) -> float:
        """The limit on the tokens of one second of speech.

        Whisper's tokenizer has whole words of some languages as tokens, and takes several tokens for each letter of
        others. The ratio is taken from the language's name in its own letters.
        """
        rates = (self.num_tokens(name) / len(name) for name in languages.own_names(self.language))
        return max([LEAST_TOKENS_PER_S, *(MAX_LETTERS_PER_S * rate for rate in rates)])

    def features(self, audios: Sequence[np.ndarray], num_frames: int = WINDOW_FRAMES) -> Tensor:
        """Return log-mel features_BMT of so many frames each, padded with silence: the first ones of a whole window."""
        out = self._extractor(
            list(audios),
            sampling_rate=SAMPLE_RATE_HZ,
            max_length=num_frames * HOP_SAMPLES,
            return_tensors="pt",
            device=str(device()),
        )
        return out.input_features

    def prompt(self) -> list[int]:
        """Return the tokens that ask for a transcript without timestamps."""
        return list(self.tokenizer.prefix_tokens)

    def text(self, tokens: Sequence[int]) -> str:
        return str(self.tokenizer.decode(tokens, skip_special_tokens=True)).strip()

    def num_tokens(self, text: str) -> int:
        """Return how many tokens a text's words take. Two texts joined by a space take the sum of both."""
        return len(self.tokenizer(" " + text.strip(), add_special_tokens=False).input_ids) if text else 0

    def labels(self, text: str, *, may_cut: bool = False) -> Tensor:
        """Return the token ids_1L of a text: prompt, leading space, words, end. An empty text gives prompt and end.

        Args:
            may_cut: truncate what is too long for the decoder, and leave out its end. This is for a model's own
                output, which can be of any length.

        Raises:
            ValueError: it is too long.
        """
        ids = self.tokenizer(" " + text.strip() if text else "").input_ids
        if len(ids) > MAX_LABEL_TOKENS and not may_cut:
            raise ValueError(f"a transcript has {len(ids)} tokens where a window holds {MAX_LABEL_TOKENS}")
        return torch.tensor([ids[:MAX_LABEL_TOKENS]])

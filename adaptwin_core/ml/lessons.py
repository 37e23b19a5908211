"""What the end-to-end phase learns from: windows in their order, and what the original hears in each.

Shape letters: M mels, T frames, S encoder positions, D width, L tokens, V vocabulary.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor
from transformers import WhisperForConditionalGeneration

from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.ml.decode import transcribe_batch
from adaptwin_core.ml.windows import Featurizer, Window, WordlessWindow


@dataclass(frozen=True)
class LossWeights:
    """`encoder`: of the encoder's relative error; `kl`: of the divergence from the original's words; `ce`: of the
    transcript's cross-entropy.
    """

    encoder: float
    kl: float
    ce: float


SPEAKER_WEIGHTS = LossWeights(encoder=0.3, kl=0.3, ce=1.0)
GENERAL_WEIGHTS = LossWeights(encoder=2.0, kl=1.0, ce=0.5)
# The original goes round in circles on noise: it is followed where it says that nobody speaks, not in its words.
WORDLESS_WEIGHTS = LossWeights(encoder=0.3, kl=0.3, ce=1.0)
WORDLESS_SHARE = 0.06  # of all windows that are learnt from


AnyWindow = Window | WordlessWindow


@dataclass(frozen=True)
class Lessons:
    """Windows to learn from, and windows held back to judge by."""

    speaker: Sequence[Window]
    general: Sequence[Window]
    speaker_held_back: Sequence[Window] = ()
    general_held_back: Sequence[Window] = ()
    wordless: Sequence[WordlessWindow] = ()

    def order(self, spec: CompressionSpec) -> list[tuple[AnyWindow, LossWeights]]:
        """Return every window of the run: each kind shuffled anew when it is used up, and at its share."""
        rng = random.Random(spec.seed)  # noqa: S311  # an order, not a secret
        kinds: list[tuple[Sequence[AnyWindow], LossWeights]] = [
            (self.speaker, SPEAKER_WEIGHTS),
            (self.general, GENERAL_WEIGHTS),
            (self.wordless, WORDLESS_WEIGHTS),
        ]
        wordless = WORDLESS_SHARE if self.wordless else 0.0
        general = spec.general_share * (1 - wordless) if self.general else 0.0
        drawn = rng.choices(range(3), (1 - general - wordless, general, wordless), k=spec.tune_steps * spec.tune_batch)
        decks: list[list[AnyWindow]] = [[], [], []]
        order = []
        for kind in drawn:
            windows, weights = kinds[kind]
            if not decks[kind]:
                decks[kind] = rng.sample(windows, len(windows))
            order.append((decks[kind].pop(), weights))
        return order

    def held_back(self) -> list[tuple[Sequence[Window], LossWeights]]:
        """Return the windows to judge by, of each kind that has any."""
        kinds = ((self.speaker_held_back, SPEAKER_WEIGHTS), (self.general_held_back, GENERAL_WEIGHTS))
        return [(windows, weights) for windows, weights in kinds if windows]


@dataclass(frozen=True)
class Heard:
    """One window as the original hears it, in float16."""

    window: AnyWindow
    features_1MT: Tensor
    encoded_1SD: Tensor  # output of its encoder
    decoded_1LD: Tensor  # output of its decoder, before the vocabulary
    labels_1L: Tensor
    num_prompt: int  # of its tokens are given to the decoder, never asked of it


class Teacher:
    """The original model. What it hears in a window is computed once.

    Args:
        encoded: what its encoder says of some windows, by their names: output_1SD in float16.
    """

    def __init__(
        self,
        model: WhisperForConditionalGeneration,
        featurizer: Featurizer,
        encoded: Mapping[str, Tensor] = MappingProxyType({}),
    ) -> None:
        self._model, self._featurizer, self._encoded = model, featurizer, encoded
        self._heard: dict[int, Heard] = {}  # by the window's id, which stays its own while it is kept here

    @torch.no_grad()
    def hear(self, window: AnyWindow) -> Heard:
        """Return what the original hears. A window without a transcript is given the original's own words."""
        if id(window) not in self._heard:
            audio = window.audio()
            features_1MT = self._featurizer.features([audio]).to(self._model.device)
            encoded_1SD = self._encoder_output(window, features_1MT)
            text = window.text
            if text is None:
                text = transcribe_batch(self._model, self._featurizer, [audio])[0]
            labels_1L = self._featurizer.labels(text).to(self._model.device)
            decoded_1LD = decode(self._model, labels_1L[:, :-1], encoded_1SD.float())
            self._heard[id(window)] = Heard(
                window,
                features_1MT.half(),
                encoded_1SD,
                decoded_1LD.half(),
                labels_1L,
                len(self._featurizer.prompt()),
            )
        return self._heard[id(window)]

    def _encoder_output(self, window: AnyWindow, features_1MT: Tensor) -> Tensor:
        """Return output_1SD in float16, whether it was known or not: the model must not depend on which."""
        known = self._encoded.get(window.name) if isinstance(window, Window) else None
        if known is not None:
            return known.to(self._model.device)
        encoded_1SD: Tensor = self._model.model.encoder(features_1MT).last_hidden_state
        return encoded_1SD.half()

    @torch.no_grad()
    def log_probs(self, heard: Heard) -> Tensor:
        """Return log p_1LV of the original's next token after each of the window's."""
        logits_1LV: Tensor = self._model.proj_out(heard.decoded_1LD.float())
        return logits_1LV.log_softmax(-1)


def decode(model: Any, inputs_1L: Tensor, encoded_1SD: Tensor) -> Tensor:
    """Return the decoder's output_1LD before the vocabulary, each position knowing those before it."""
    hidden_1LD: Tensor = model.model.decoder(
        input_ids=inputs_1L, encoder_hidden_states=encoded_1SD, use_cache=False
    ).last_hidden_state
    return hidden_1LD

"""A teacher's outputs on the windows that a student is trained on.

Shape letters: M mels, T frames, S encoder positions, D width, L tokens, V vocabulary.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor
from transformers import WhisperForConditionalGeneration

from adaptwin_core.ml.model.adapter import decode, encode, token_logits
from adaptwin_core.ml.model.featurizer import Featurizer
from adaptwin_core.ml.model.transcription import BATCH, transcribe_batch
from adaptwin_core.ml.model.windows import NonspeechWindow, Window
from adaptwin_core.ml.training.mixture import AnyWindow
from adaptwin_core.speech.corpus import Clip, Corpus

_CorpusClip = tuple[Corpus, Clip]


@dataclass(frozen=True)
class TrainingExample:
    """One window, the teacher's outputs on it and the labels, in float16.

    The teacher hears the whole window. A student of a fitted window hears its first frames, and follows the teacher in
    the positions that both have.

    Attributes:
        features_1MT: of the window, as long as the student hears it.
        encoded_1SD: output of the teacher's encoder in these positions.
        decoded_1LD: output of the teacher's decoder, before the vocabulary.
        labels_1L: prompt, transcript and end.
        num_prompt: tokens of the prompt: the decoder is given them and is not trained to say them.
    """

    window: AnyWindow
    features_1MT: Tensor
    encoded_1SD: Tensor
    decoded_1LD: Tensor
    labels_1L: Tensor
    num_prompt: int


class Teacher:
    """The original, or the model that has learnt its speaker. Its outputs on a window are computed once.

    Args:
        encoded: the output_1SD of its encoder, in float16, for windows where it is known already, by window name.
    """

    def __init__(
        self,
        model: WhisperForConditionalGeneration,
        featurizer: Featurizer,
        encoded: Mapping[str, Tensor] = MappingProxyType({}),
    ) -> None:
        self._model, self._featurizer, self._encoded = model, featurizer, encoded
        self._expected: deque[_CorpusClip] = deque()
        self._transcriptions: dict[tuple[str, str], str] = {}  # by `_name`
        # By the window's id, which stays unique because the example holds the window.
        self._examples: dict[int, TrainingExample] = {}

    def expect(self, windows: Iterable[AnyWindow]) -> None:
        """Announce the windows to come, in order, so that clips without a transcript can share batches."""
        self._expected = deque(
            (window.corpus, clip)
            for window in windows
            if isinstance(window, Window)
            for clip in window.clips
            if clip.text is None
        )

    @torch.no_grad()
    def example(self, window: AnyWindow) -> TrainingExample:
        """Return the training example that this window makes."""
        if id(window) not in self._examples:
            whole_1MT = self._featurizer.features([window.audio()]).to(self._model.device)
            encoded_1SD = self._encoder_output(window, whole_1MT)
            may_cut = isinstance(window, Window) and not window.has_text
            labels_1L = self._featurizer.labels(self._text(window), may_cut=may_cut).to(self._model.device)
            decoded_1LD = decode(self._model, labels_1L[:, :-1], encoded_1SD.float())
            self._examples[id(window)] = TrainingExample(
                window,
                whole_1MT[..., : window.num_frames].half(),
                encoded_1SD[:, : window.num_frames // 2].clone(),
                decoded_1LD.half(),
                labels_1L,
                len(self._featurizer.prompt()),
            )
        return self._examples[id(window)]

    def _text(self, window: AnyWindow) -> str:
        """Return the transcripts of the window's clips; where one has none, the teacher's own transcription."""
        if isinstance(window, NonspeechWindow):
            return window.text
        texts = (
            self._transcription_of((window.corpus, clip)) if clip.text is None else clip.text for clip in window.clips
        )
        return " ".join(text for text in texts if text)

    def _transcription_of(self, spoken: _CorpusClip) -> str:
        if _name(spoken) not in self._transcriptions:
            batch = {_name(spoken): spoken}
            while self._expected and len(batch) < BATCH:
                later = self._expected.popleft()
                if _name(later) not in self._transcriptions:
                    batch[_name(later)] = later
            audios = [speech.audio(clip) for speech, clip in batch.values()]
            texts = transcribe_batch(self._model, self._featurizer, audios)
            self._transcriptions |= dict(zip(batch, texts, strict=True))
        return self._transcriptions[_name(spoken)]

    def _encoder_output(self, window: AnyWindow, whole_1MT: Tensor) -> Tensor:
        """Return output_1SD in float16 even where it is computed here: results must not depend on what was known."""
        known = self._encoded.get(window.name) if isinstance(window, Window) else None
        if known is not None:
            return known.to(self._model.device)
        return encode(self._model, whole_1MT).half()

    @torch.no_grad()
    def log_probs(self, example: TrainingExample) -> Tensor:
        """Return the teacher's log-probabilities_1LV of the next token after each token of the example."""
        return token_logits(self._model, example.decoded_1LD.float()).log_softmax(-1)


def _name(spoken: _CorpusClip) -> tuple[str, str]:
    """Return a name that a clip keeps in every window that holds it."""
    corpus, clip = spoken
    return corpus.digest, clip.id

"""What every step of the recipe works on, where it runs, and how it tells how far it is."""

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from transformers.utils import logging as transformers_logging

from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.domain.plan import RankPlan
from adaptwin_core.domain.planner import make_plan
from adaptwin_core.domain.sensitivity import Sensitivities
from adaptwin_core.domain.shape import ModelShape
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.ml.model.featurizer import Featurizer
from adaptwin_core.ml.model.windows import MAX_TEXT_TOKENS, NumTokens, Window, pack, too_wordy
from adaptwin_core.speech.corpus import Corpus


@dataclass(frozen=True)
class Setting:
    """What every step works on."""

    base_folder: Path
    shape: ModelShape
    spec: CompressionSpec
    speaker: Corpus
    general: Corpus | None
    sensitivities: Sensitivities | None = None  # once they are measured
    found_cut: float | None = None  # of the encoder, once it is searched
    personal_folder: Path | None = None  # once the base model has learnt its speaker

    @property
    def plan(self) -> RankPlan:
        spec = self.spec if self.found_cut is None else self.spec.with_cut(self.found_cut)
        return make_plan(spec, self.shape, self.sensitivities)

    @property
    def whole_folder(self) -> Path:
        """Where the model lies that is measured and cut, and that teaches what comes of it."""
        return self.personal_folder or self.base_folder

    def featurizer(self) -> Featurizer:
        return self._featurizer

    @cached_property
    def _featurizer(self) -> Featurizer:
        return Featurizer(self.base_folder, self.spec.language)

    @cached_property
    def num_tokens(self) -> NumTokens:
        """What counts the tokens of transcripts: windows hold no more of them than the decoder."""

        @cache
        def count(text: str) -> int:
            return self.featurizer().num_tokens(text)

        return count

    def windows(self, corpus: Corpus | None) -> list[Window]:
        if corpus is None:
            return []
        return pack(corpus, "train", seed=self.spec.seed, num_tokens=self.num_tokens)

    def speaker_windows(self) -> list[Window]:
        """Return the windows of the speaker's speech to train on.

        Raises:
            InvalidAudio: there are none.
        """
        windows = self.windows(self.speaker)
        if not windows and too_wordy(self.speaker, "train", self.num_tokens):
            raise InvalidAudio(
                f"every transcript to train on has over {MAX_TEXT_TOKENS} tokens, more than the model can say of one "
                "clip: cut the recordings into shorter ones",
                code="no_training_speech",
            )
        if not windows:
            raise InvalidAudio(
                "the speech has nothing to train on: mark some clips train, or leave the split column out",
                code="no_training_speech",
            )
        return windows

    @property
    def speaker_weight(self) -> float:
        return self.spec.speaker_weight if self.general is not None else 1.0


def quiet_transformers() -> None:
    """Keep transformers' bars and warnings out of a program that shows its own; doors call it, no import does."""
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()

"""One row of the frontier: a model on held-out clips of the speaker and of others, with its size and speed."""

from dataclasses import dataclass
from typing import Any

from adaptwin_core.ml.adapter import count_params
from adaptwin_core.ml.int8 import FLOAT16_BYTES, round_to_int8
from adaptwin_core.ml.windows import Featurizer
from adaptwin_core.speech.corpus import Corpus
from bench.word_errors import word_error_rates


@dataclass(frozen=True)
class Judge:
    """The same clips, decoding and scoring for every model."""

    corpora: dict[str, Corpus]  # speaker, others
    num_clips: int
    language: str

    def row(self, model: Any, featurizer: Featurizer) -> dict[str, Any]:
        """Return sizes, word error rates in % with 95 % intervals, and seconds of compute for a second of audio."""
        figures: dict[str, Any] = {
            "encoder_params": count_params(model, "encoder"),
            "total_params": model.num_parameters(),
            "bytes": FLOAT16_BYTES * model.num_parameters(),
        }
        compute_s = audio_s = 0.0
        for kind, corpus in self.corpora.items():
            rates = word_error_rates(model, featurizer, corpus, self.num_clips, self.language)
            figures[f"{kind}_wer"], heard = rates
            compute_s, audio_s = compute_s + heard.compute_s, audio_s + heard.audio_s
        figures["compute_s_per_audio_s"] = round(compute_s / audio_s, 4)
        return figures

    def int8_row(self, model: Any, featurizer: Featurizer) -> dict[str, Any]:
        """As `row`, the weights rounded in place to 8 bits. They are multiplied as float32, so speed is not told."""
        num_bytes = round_to_int8(model)
        figures = self.row(model, featurizer)
        del figures["compute_s_per_audio_s"]
        return figures | {"bytes": num_bytes}

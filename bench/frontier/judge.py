"""Judges a model on held-out clips of the speaker and of others, and tells its size and speed."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from adaptwin_core.ml.model.adapter import count_params
from adaptwin_core.ml.model.featurizer import Featurizer
from adaptwin_core.ml.model.quantization import NOT_MEASURED, InputMoments, round_to
from adaptwin_core.speech.corpus import Corpus
from bench.word_errors import clips_from, difference, word_error_rates


@dataclass(frozen=True)
class Judge:
    """The same clips, decoding and scoring for every model."""

    corpora: dict[str, Corpus]  # speaker, others
    num_clips: int
    language: str

    def row(
        self,
        model: Any,
        featurizer: Featurizer,
        weights: str,
        inputs: InputMoments = NOT_MEASURED,
        num_bytes: int | None = None,
    ) -> dict[str, Any]:
        """Return parameters, bytes, word error rates in % with 95 % intervals, and the errors and words of each clip.

        In float16 also how many seconds of compute a second of audio takes. Other forms are computed in float32 here,
        so their speed would say nothing.

        Args:
            weights: the form of storage, to which the weights are rounded.
            inputs: moments of the matrices' inputs, for which weights of 4 bits are rounded.
            num_bytes: of weights that are in this form already, which are not rounded again.
        """
        rounded = copy.deepcopy(model)
        figures: dict[str, Any] = {
            "encoder_params": count_params(model, "encoder"),
            "total_params": model.num_parameters(),
            "bytes": round_to(rounded, weights, inputs) if num_bytes is None else num_bytes,
        }
        compute_s = audio_s = 0.0
        for kind, corpus in self.corpora.items():
            judged = word_error_rates(rounded, featurizer, corpus, self.num_clips, self.language)
            figures |= {f"{kind}_wer": judged.wer, f"{kind}_clips": judged.by_clip}
            compute_s, audio_s = compute_s + judged.heard.compute_s, audio_s + judged.heard.audio_s
        if weights == "float16":
            figures["compute_s_per_audio_s"] = round(compute_s / audio_s, 4)
        return figures


def original_of(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the row that all others are compared with: the original in float16."""
    return next(row for row in rows if row["family"] == "original" and row["precision"] == "float16")


def above(row: dict[str, Any], original: dict[str, Any], kind: str) -> list[float]:
    """Return how many points of WER one row is above another, judged on the same clips, with its 95 % interval."""
    errors, words = clips_from(row[f"{kind}_clips"])
    return difference(errors, clips_from(original[f"{kind}_clips"])[0], words)

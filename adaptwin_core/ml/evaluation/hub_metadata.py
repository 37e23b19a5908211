"""The metadata at the head of a model card, by which the Hugging Face Hub lists a model.

Its fields are those of https://huggingface.co/docs/hub/model-cards#model-card-metadata. What is not known is left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from huggingface_hub import EvalResult, ModelCardData

from adaptwin_core.domain.exports import CHECKPOINT
from adaptwin_core.domain.task_keys import SpeechKind
from adaptwin_core.domain.units import Unit

TASK: Final = "automatic-speech-recognition"
METRICS: Final = {Unit.WORD: "wer", Unit.CHARACTER: "cer"}  # by their names on the Hub
TRANSCRIPTS: Final = "transcripts"  # a `reference` in reports: no other tells how many words were wrong
SETS: Final = {SpeechKind.SPEAKER: "Held-out speech of this speaker", SpeechKind.GENERAL: "Held-out speech of others"}
_ISO_CODES: Final = {"jw": "jv"}  # of the languages for which Whisper has a code of its own
_LIBRARIES: Final = {
    CHECKPOINT: "transformers",
    "dense": "transformers",
    "ct2": "ctranslate2",
    "onnx": "transformers.js",
    "sherpa": "sherpa-onnx",
    "ggml": "whisper.cpp",
}


@dataclass(frozen=True)
class HeldOutRate:
    """The share of words or characters that a model gets wrong in held-out clips, against their transcripts."""

    kind: SpeechKind
    unit: Unit
    error_rate: float


def rates_of(speech: Mapping[str, Mapping[str, Any]]) -> list[HeldOutRate]:
    """Return the rates of a finished model, by the `speech` of its report."""
    return [
        HeldOutRate(SpeechKind(kind), Unit(found["unit"]), found["compressed"]["error_rate"])
        for kind, found in speech.items()
        if found["reference"] == TRANSCRIPTS
    ]


def hub_metadata(
    report: Mapping[str, Any], *, form: str, licence: str | None, rates: list[HeldOutRate]
) -> ModelCardData:
    """Return the metadata of a model, or of an export of it.

    Args:
        report: of the model.
        form: one of `domain.exports.FORMATS`, or `CHECKPOINT`.
        licence: of the base model, as an SPDX identifier, if known. The Hub writes these in lower case.
    """
    languages = report["vocabulary"]["languages"]
    hub_id = report.get("base_hub_id")
    return ModelCardData(
        language=[_ISO_CODES.get(code, code) for code in languages],
        license=licence.lower() if licence else None,
        base_model=hub_id,
        base_model_relation="finetune" if hub_id else None,  # trained further, which is more than quantized
        library_name=_LIBRARIES[form.partition("-")[0]],
        pipeline_tag=TASK,
        tags=["whisper", "adaptwin", "one-speaker"],
        metrics=sorted({METRICS[rate.unit] for rate in rates}) or None,
        model_name=f"{report['base_model']} for one speaker" if rates else None,  # the Hub wants it beside results only
        eval_results=[_result(rate) for rate in rates] or None,
    )


def _result(rate: HeldOutRate) -> EvalResult:
    return EvalResult(
        task_type=TASK,
        task_name="Automatic speech recognition",
        dataset_type="private",  # a person's own recordings, which are not on the Hub
        dataset_config=str(rate.kind),
        dataset_name=SETS[rate.kind],
        dataset_split="test",
        metric_type=METRICS[rate.unit],
        metric_name=f"{rate.unit.rate.capitalize()}, %",
        metric_value=round(100 * rate.error_rate, 2),
    )

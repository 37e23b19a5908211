"""The report of a job: original and compressed model on the same held-out clips, and the verdict. docs/report.md
explains every figure.
"""

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from adaptwin_core.domain.admission import shortcomings
from adaptwin_core.domain.dataset_report import DatasetReport
from adaptwin_core.domain.manifests import MODEL_CARD
from adaptwin_core.domain.plan import RankPlan
from adaptwin_core.domain.shape import ModelShape
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.vocabulary import why_whole
from adaptwin_core.ml.evaluation.report_card import model_card
from adaptwin_core.ml.evaluation.report_plot import write_plot
from adaptwin_core.ml.evaluation.verdict import verdict_of
from adaptwin_core.ml.evaluation.window_choice import WindowChoice

REPORT = "report.json"
LIBRARIES = ("torch", "transformers", "peft", "safetensors", "numpy")


def _trained_on(speaker: DatasetReport) -> dict[str, float]:
    """Return the seconds of the speaker's training speech, and how many of them have a transcript with words."""
    return {
        "seconds": round(speaker.splits["train"], 1),
        "transcribed_seconds": round(speaker.parts["train"].labelled_seconds, 1),
    }


def build_report(
    *,
    base_model: str,
    base_digest: str,
    base_hub_id: str | None,
    shape: ModelShape,
    base_shape: ModelShape,
    plan: RankPlan,
    spec: CompressionSpec,
    speech: Mapping[str, Any],
    silent_speech: Mapping[str, Any],
    window: WindowChoice,
    bytes_of: Mapping[str, int],
    blocks: Mapping[str, Any],
    trials: Sequence[Mapping[str, Any]],
    datasets: Mapping[str, DatasetReport],
) -> dict[str, Any]:
    """Return all that a reader needs to check the result: verdict, figures, settings, plan, versions.

    Args:
        base_hub_id: the name of the base model on the Hugging Face Hub, if it is known to be there.
        shape: with the tokens that are kept; `base_shape`: with all.
        speech: of `comparison.compare`, and `silent_speech`: of `comparison.silence`, by kind of speech. Both tell of
            the compressed model in windows of the chosen kind.
        datasets: what was found in the files, by kind of speech.
    """
    encoder_params = plan.encoder_params(shape)
    report: dict[str, Any] = {
        "base_model": base_model,
        "base_digest": base_digest,
        "base_hub_id": base_hub_id,
        "speech": dict(speech),
        "datasets": {kind: found.model_dump(mode="json") for kind, found in datasets.items()},
        "accepted": shortcomings(datasets["speaker"], datasets.get("general"), spec),
        "silence": dict(silent_speech),
        "window": window.as_json(),
        "trained_on": _trained_on(datasets["speaker"]),
        "size": {
            "original": {
                "encoder_params": shape.encoder_params,
                "total_params": base_shape.total_params,
                "weights_bytes": bytes_of["original"],
            },
            "compressed": {
                "encoder_params": encoder_params,
                "total_params": plan.total_params(shape),
                "weights_bytes": bytes_of["compressed"],
            },
        },
        "vocabulary": {
            "kept": shape.vocab_size,
            "of": base_shape.vocab_size,
            "languages": list(spec.spoken),
            "why_all": why_whole(spec, base_shape),
        },
        "plan": {
            "encoder_cut": 1 - encoder_params / shape.encoder_params,
            "decoder_cut": plan.params_removed(shape, "decoder") / shape.decoder_layer_params,
            "total_cut": 1 - plan.total_params(shape) / base_shape.total_params,
            "blocks": plan.model_dump(mode="json")["blocks"],
        },
        "blocks": dict(blocks),
        "trials": [dict(trial) for trial in trials],
        "spec": spec.model_dump(mode="json"),
        "libraries": {name: version(name) for name in LIBRARIES},
    }
    return report | {"verdict": verdict_of(report).model_dump(mode="json")}


def write_report(report: Mapping[str, Any], out: Path, *, licence: str | None) -> dict[str, Path]:
    """Write report.json, the plots and the model card; return them by name.

    Args:
        licence: of the base model, as an SPDX identifier, if known.
    """
    (out / REPORT).write_text(json.dumps(report, indent=2, sort_keys=True) + "\n")
    (out / MODEL_CARD).write_text(model_card(report, licence=licence), "utf-8")
    return {path.name: path for path in [out / REPORT, out / MODEL_CARD, *write_plot(report, out)]}

"""The report of a job: original and compressed model on the same held-out clips, and the verdict. docs/report.md
explains every figure.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from adaptwin_core.domain.admission import shortcomings
from adaptwin_core.domain.dataset_report import DatasetReport
from adaptwin_core.domain.plan import RankPlan
from adaptwin_core.domain.shape import ModelShape
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.units import unit_of
from adaptwin_core.domain.vocabulary import why_whole
from adaptwin_core.ml.evaluation.report_card import model_card
from adaptwin_core.ml.evaluation.report_plot import write_plot
from adaptwin_core.ml.evaluation.scoring import count_units, difference, judged_by, score
from adaptwin_core.ml.evaluation.verdict import verdict_of
from adaptwin_core.ml.evaluation.written_form import as_json, as_written
from adaptwin_core.speech.corpus import Clip

REPORT = "report.json"
LIBRARIES = ("torch", "transformers", "peft", "safetensors", "numpy")


def compare(
    clips: Sequence[Clip], original: Mapping[str, str], compressed: Mapping[str, str], language: str
) -> dict[str, Any]:
    """Score both models' texts, given by clip id, on the same clips.

    Clips without a transcript are left out if others have one. If none has, all are scored against the original's own
    output. `reference` says which of the two it was. An empty transcript counts as one: it says that nobody speaks.

    Returns:
        reference, unit, clips, seconds, the score of each model with its `raw` errors, and the difference of both error
        rates. The original has no score where its output is the reference.

    Raises:
        InvalidInput: no reference has a word.
    """
    indices, has_transcripts = judged_by([clip.text for clip in clips])
    judged = [clips[index] for index in indices]
    references = [(clip.text if has_transcripts else original[clip.id]) or "" for clip in judged]
    texts = {
        name: [text_of[clip.id] for clip in judged]
        for name, text_of in (("original", original), ("compressed", compressed))
        if has_transcripts or name == "compressed"
    }
    scores = {name: score(references, hypotheses, language=language) for name, hypotheses in texts.items()}
    apart = {"difference": asdict(difference(scores["compressed"], scores["original"]))} if has_transcripts else {}
    return {
        "reference": "transcripts" if has_transcripts else "the original model's own output",
        "unit": unit_of(language),
        "num_clips": len(judged),
        "seconds": round(sum(clip.seconds for clip in judged), 2),
        **apart,
        **{
            name: _figures(asdict(found)) | {"raw": as_json(as_written(references, texts[name], language=language))}
            for name, found in scores.items()
        },
    }


def _figures(scored: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in scored.items() if name not in {"clips", "unit"}}


def silence(
    clips: Sequence[Clip], original: Mapping[str, str], compressed: Mapping[str, str], language: str
) -> dict[str, Any] | None:
    """Return how many words, or characters, each model writes on clips where nobody speaks; None if there are none."""
    silent = [clip for clip in clips if clip.text is not None and not clip.text.strip()]
    if not silent:
        return None
    return {
        "unit": unit_of(language),
        "num_clips": len(silent),
        "heard": {
            name: sum(count_units(text_of[clip.id], language) for clip in silent)
            for name, text_of in (("original", original), ("compressed", compressed))
        },
    }


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
    shape: ModelShape,
    base_shape: ModelShape,
    plan: RankPlan,
    spec: CompressionSpec,
    speech: Mapping[str, Any],
    silent_speech: Mapping[str, Any],
    bytes_of: Mapping[str, int],
    blocks: Mapping[str, Any],
    trials: Sequence[Mapping[str, float]],
    datasets: Mapping[str, DatasetReport],
) -> dict[str, Any]:
    """Return all that a reader needs to check the result: verdict, figures, settings, plan, versions.

    Args:
        shape: with the tokens that are kept; `base_shape`: with all.
        speech: of `compare`, and `silent_speech`: of `silence`, by kind of speech.
        datasets: what was found in the files, by kind of speech.
    """
    encoder_params = plan.encoder_params(shape)
    report: dict[str, Any] = {
        "base_model": base_model,
        "base_digest": base_digest,
        "speech": dict(speech),
        "datasets": {kind: found.model_dump(mode="json") for kind, found in datasets.items()},
        "accepted": shortcomings(datasets["speaker"], datasets.get("general"), spec),
        "silence": dict(silent_speech),
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
            "total_cut": 1 - plan.total_params(shape) / base_shape.total_params,
            "blocks": plan.model_dump(mode="json")["blocks"],
        },
        "blocks": dict(blocks),
        "trials": [dict(trial) for trial in trials],
        "spec": spec.model_dump(mode="json"),
        "libraries": {name: version(name) for name in LIBRARIES},
    }
    return report | {"verdict": verdict_of(report).model_dump(mode="json")}


def write_report(report: Mapping[str, Any], out: Path) -> dict[str, Path]:
    """Write report.json, the plots and the model card; return them by name."""
    (out / REPORT).write_text(json.dumps(report, indent=2, sort_keys=True) + "\n")
    (out / "README.md").write_text(model_card(report), "utf-8")
    return {path.name: path for path in [out / REPORT, out / "README.md", *write_plot(report, out)]}

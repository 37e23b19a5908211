"""What a job found: original and compressed on the same held-out clips, as figures, as plots, and as the model's own
card.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt

from adaptwin_core.domain.admission import shortcomings
from adaptwin_core.domain.dataset_report import DatasetReport
from adaptwin_core.domain.plan import ModelShape, RankPlan
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.ml.scoring import score
from adaptwin_core.speech.corpus import Clip, Corpus

# Of each kind of speech, spread evenly: for the speaker enough for an interval of a point or so. Others only show what
# was forgotten, and each of their clips is heard by both models.
MAX_TEST_CLIPS: Final = {"speaker": 200, "general": 48}
REPORT = "report.json"
LIBRARIES = ("torch", "transformers", "peft", "safetensors", "numpy")
COLOURS = {"original": "#5b6770", "compressed": "#0a7d5a"}


def held_out(corpus: Corpus, kind: str) -> list[Clip]:
    """Return the test clips of `kind` of speech, speaker or general, that a model is judged on."""
    return spread(corpus.split("test"), MAX_TEST_CLIPS[kind])


def spread(clips: Sequence[Clip], count: int) -> list[Clip]:
    """Return `count` clips, taken evenly from all; all, where there are fewer."""
    step = max(1.0, len(clips) / count)
    return [clips[int(i * step)] for i in range(min(len(clips), count))]


def compare(
    clips: Sequence[Clip], original: Mapping[str, str], compressed: Mapping[str, str], language: str
) -> dict[str, Any]:
    """Score both models' texts, given by clip id, on the same clips.

    Clips without a transcript are left out where others have one; where none has, all are scored against the
    original's own output. `reference` says which it was.

    Returns:
        reference, clips, seconds, and the score of each model (none for the original where it is the reference).
    """
    labelled = [clip for clip in clips if clip.text]
    judged = labelled or list(clips)
    references = [clip.text or original[clip.id] for clip in judged]
    scored = {"compressed": compressed} if not labelled else {"original": original, "compressed": compressed}
    scores = {}
    for name, texts in scored.items():
        result = asdict(score(references, [texts[clip.id] for clip in judged], language=language))
        scores[name] = {key: value for key, value in result.items() if key != "clips"}
    return {
        "reference": "transcripts" if labelled else "the original model's own output",
        "num_clips": len(judged),
        "seconds": round(sum(clip.seconds for clip in judged), 2),
        **scores,
    }


def write_plot(report: Mapping[str, Any], out: Path) -> list[Path]:
    """Draw word error rates with their intervals, and sizes, as PNG and SVG."""
    sets = [(name, report["speech"][name]) for name in ("speaker", "general") if name in report["speech"]]
    figure, (errors, sizes) = plt.subplots(1, 2, figsize=(9, 3.6), gridspec_kw={"width_ratios": [3, 2]})
    for offset, model in ((-0.2, "original"), (0.2, "compressed")):
        rows = [(index, found[model]) for index, (_, found) in enumerate(sets) if model in found]
        heights = [100 * row["wer"] for _, row in rows]
        spans = [
            [100 * (row["wer"] - row["wer_low"]) for _, row in rows],
            [100 * (row["wer_high"] - row["wer"]) for _, row in rows],
        ]
        bars = errors.bar(
            [i + offset for i, _ in rows], heights, 0.38, yerr=spans, capsize=3, color=COLOURS[model], label=model
        )
        errors.bar_label(bars, fmt="%.1f", padding=3)
    labels = {"speaker": "this speaker", "general": "other speakers"}
    errors.set_xticks(
        range(len(sets)), [f"{labels[name]}\n{found['num_clips']} held-out clips" for name, found in sets]
    )
    errors.set_ylabel("word error rate, %")
    errors.margins(y=0.15)
    errors.legend(frameon=False)
    size = report["size"]
    for index, part in enumerate(("encoder_params", "total_params")):
        for offset, model in ((-0.2, "original"), (0.2, "compressed")):
            bars = sizes.bar(index + offset, size[model][part] / 1e6, 0.38, color=COLOURS[model])
            sizes.bar_label(bars, fmt="%.1f", padding=3)
    sizes.set_xticks(range(2), ["encoder", "whole model"])
    sizes.set_ylabel("parameters, millions")
    sizes.margins(y=0.15)
    for axes in (errors, sizes):
        axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    paths = [out / "report.png", out / "report.svg"]
    for path in paths:
        figure.savefig(path, dpi=120, metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)
    return paths


def model_card(report: Mapping[str, Any]) -> str:
    """Return the README of a published model."""
    size, plan = report["size"], report["plan"]
    lines = [
        f"# {report['base_model']}, for one speaker",
        "",
        f"Compressed by AdaPTwin. Of the encoder's parameters {plan['encoder_cut']:.1%} are removed "
        f"({size['original']['encoder_params']:,} to {size['compressed']['encoder_params']:,}), of all "
        f"{plan['total_cut']:.1%} ({size['original']['total_params']:,} to {size['compressed']['total_params']:,}); "
        f"weights in {report['spec']['weights']}, {size['compressed']['weights_bytes']:,} bytes.",
        "",
        "```python",
        "from transformers import pipeline",
        "",
        'hear = pipeline("automatic-speech-recognition", model="this folder", trust_remote_code=True)',
        'print(hear("speech.wav", return_timestamps=True)["text"])  # needs ffmpeg; or give it 16 kHz samples',
        "```",
        "",
        "| held-out speech | WER original | WER compressed | clips | scored against |",
        "|---|---|---|---|---|",
    ]
    for name, found in report["speech"].items():
        cells = [
            f"{100 * found[m]['wer']:.1f} ({100 * found[m]['wer_low']:.1f}-{100 * found[m]['wer_high']:.1f})"
            if m in found
            else "-"
            for m in ("original", "compressed")
        ]
        lines.append(f"| {name} | {cells[0]} | {cells[1]} | {found['num_clips']} | {found['reference']} |")
    lines += ["", "This model was made from a person's voice: treat it as personal data.", ""]
    return "\n".join(lines)


def build_report(
    *,
    base_model: str,
    base_digest: str,
    shape: ModelShape,
    plan: RankPlan,
    spec: CompressionSpec,
    speech: Mapping[str, Any],
    bytes_of: Mapping[str, int],
    blocks: Mapping[str, Any],
    trials: Sequence[Mapping[str, float]],
    datasets: Mapping[str, DatasetReport],
) -> dict[str, Any]:
    """Return everything a reader needs to check the result: figures, settings, plan, speech, versions."""
    encoder_params = plan.encoder_params(shape)
    return {
        "base_model": base_model,
        "base_digest": base_digest,
        "speech": dict(speech),
        "datasets": {kind: found.model_dump(mode="json") for kind, found in datasets.items()},
        "accepted": shortcomings(datasets["speaker"], datasets.get("general"), spec),
        "size": {
            "original": {
                "encoder_params": shape.encoder_params,
                "total_params": shape.total_params,
                "weights_bytes": bytes_of["original"],
            },
            "compressed": {
                "encoder_params": encoder_params,
                "total_params": plan.total_params(shape),
                "weights_bytes": bytes_of["compressed"],
            },
        },
        "plan": {
            "encoder_cut": 1 - encoder_params / shape.encoder_params,
            "total_cut": 1 - plan.total_params(shape) / shape.total_params,
            "blocks": plan.model_dump(mode="json")["blocks"],
        },
        "blocks": dict(blocks),
        "trials": [dict(trial) for trial in trials],
        "spec": spec.model_dump(mode="json"),
        "libraries": {name: version(name) for name in LIBRARIES},
    }


def write_report(report: Mapping[str, Any], out: Path) -> dict[str, Path]:
    """Write report.json, the plots and the model card; return them by name."""
    (out / REPORT).write_text(json.dumps(report, indent=2, sort_keys=True) + "\n")
    (out / "README.md").write_text(model_card(report))
    return {path.name: path for path in [out / REPORT, out / "README.md", *write_plot(report, out)]}

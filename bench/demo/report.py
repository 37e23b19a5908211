"""Original against compressed: one table, one JSON, one plot."""

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import matplotlib as mpl
from rich.table import Table

from adaptwin_core.ml.evaluation.scoring import score
from bench.demo.held_out import HeldOut

mpl.use("Agg")
import matplotlib.pyplot as plt

JSON = dict[str, Any]
MODELS = ("original", "compressed")
IN_WHOLE = "compressed_in_whole_windows"
KINDS = {"speaker": "this speaker", "others": "other speakers"}
COLOURS = {"original": "#5b6770", "compressed": "#0a7d5a"}
LIBRARIES = ("torch", "transformers", "peft", "safetensors", "numpy", "jiwer", "espeakng-loader", "hibari-tts")


def judge(held_out: Mapping[str, HeldOut], heard: Mapping[str, Mapping[str, JSON]], language: str, seed: int) -> JSON:
    """Score each model on each kind of speech.

    Args:
        heard: what transcribe.py wrote, by model and kind: in the windows that the model is for, and in whole ones.

    Clips without transcripts are scored against the original's own words.
    """
    speech: JSON = {}
    for kind, clips in held_out.items():
        original = heard["original"][kind]["texts"]
        references = clips.texts or original
        runs = {model: heard[model][kind] for model in MODELS}
        runs[IN_WHOLE] = runs["compressed"]["in_whole_windows"]
        scores = {}
        for name, run in runs.items():
            texts = run["texts"]
            result = asdict(
                score([references[n] for n in references], [texts[n] for n in references], language=language, seed=seed)
            )
            scores[name] = {figure: value for figure, value in result.items() if figure != "clips"}
        speech[kind] = {
            "reference": "transcripts" if clips.texts else "the original model's own output",
            "num_clips": len(references),
            "seconds": round(clips.seconds, 1),
            **scores,
        }
    size: JSON = {}
    for model in MODELS:
        by_kind = list(heard[model].values())
        audio_s = sum(run["audio_s"] for run in by_kind)
        own_s, whole_s = (
            sum(run["compute_s"] for run in some) for some in (by_kind, [run["in_whole_windows"] for run in by_kind])
        )
        parts = ("encoder_params", "total_params", "weights_bytes", "model_class", "margin_s")
        size[model] = {name: by_kind[0][name] for name in parts} | {
            "compute_s_per_audio_s": round(own_s / audio_s, 4),
            "compute_s_per_audio_s_in_whole_windows": round(whole_s / audio_s, 4),
        }
    return {"speech": speech, "models": size}


def machine() -> JSON:
    """Return what the figures were measured on."""
    return {
        "platform": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "versions": {name: version(name) for name in LIBRARIES},
    }


def table(report: JSON) -> Table:
    """Return the result as one table."""
    shown = Table(title=f"{report['model']}, {report['cut']:.0%} of the encoder asked to go", title_justify="left")
    shown.add_column("")
    for model in MODELS:
        shown.add_column(model, justify="right")
    for kind, found in report["speech"].items():
        about = f"{KINDS[kind]} ({found['num_clips']} clips, {found['seconds'] / 60:.1f} min)"
        for rate in ("wer", "cer"):
            cells = [_rate(found[model], rate) for model in MODELS]
            shown.add_row(f"{rate.upper()} %, {about}" if rate == "wer" else f"{rate.upper()} %", *cells)
        shown.add_row("WER %, whole windows", _rate(found["original"], "wer"), _rate(found[IN_WHOLE], "wer"))
    models = [report["models"][model] for model in MODELS]
    shown.add_row("encoder parameters", *(f"{model['encoder_params']:,}" for model in models))
    shown.add_row("all parameters", *(f"{model['total_params']:,}" for model in models))
    shown.add_row("bytes on disk", *(f"{model['weights_bytes']:,}" for model in models))
    for name, windows in (("compute_s_per_audio_s", ""), ("compute_s_per_audio_s_in_whole_windows", ", whole windows")):
        shown.add_row(f"compute, s per s of audio{windows}", *(f"{model[name]:.3f}" for model in models))
    margin_s = report["models"]["compressed"]["margin_s"]
    if margin_s is not None:
        shown.caption = f"The compressed model hears in windows that end {margin_s:g} s after the speech."
    return shown


def _rate(found: JSON, rate: str) -> str:
    return f"{100 * found[rate]:.1f} ({100 * found[f'{rate}_low']:.1f}-{100 * found[f'{rate}_high']:.1f})"


def write_plot(report: JSON, folder: Path) -> None:
    """Draw plot.png and plot.svg: error rates with their intervals, and sizes."""
    unit = report["speech"]["speaker"]["original"]["unit"]
    figure, (rates, sizes) = plt.subplots(1, 2, figsize=(9, 3.8), gridspec_kw={"width_ratios": [3, 2]})
    for offset, model in zip((-0.2, 0.2), MODELS, strict=True):
        found = [kind[model] for kind in report["speech"].values()]
        heights = [100 * one["error_rate"] for one in found]
        spans = [
            [100 * (one["error_rate"] - one["error_rate_low"]) for one in found],
            [100 * (one["error_rate_high"] - one["error_rate"]) for one in found],
        ]
        places = [index + offset for index in range(len(found))]
        drawn = rates.bar(places, heights, 0.38, yerr=spans, capsize=3, color=COLOURS[model], label=model)
        rates.bar_label(drawn, fmt="%.1f", padding=3)
        counts = [report["models"][model][part] / 1e6 for part in ("encoder_params", "total_params")]
        drawn = sizes.bar([index + offset for index in range(2)], counts, 0.38, color=COLOURS[model])
        sizes.bar_label(drawn, fmt="%.1f", padding=3)
    names = [f"{KINDS[kind]}\n{found['num_clips']} held-out clips" for kind, found in report["speech"].items()]
    rates.set_xticks(range(len(names)), names)
    rates.set_ylabel(f"{unit} error rate, %")
    rates.set_ylim(bottom=0)
    rates.legend(frameon=False)
    sizes.set_xticks(range(2), ["encoder", "whole model"])
    sizes.set_ylabel("parameters, millions")
    for axes in (rates, sizes):
        axes.margins(y=0.15)
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"{report['model']}: {report['speech_source']}")
    figure.tight_layout()
    figure.savefig(folder / "plot.png", dpi=120)
    figure.savefig(folder / "plot.svg")
    plt.close(figure)


def write_json(report: JSON, folder: Path) -> None:
    """Write report.json."""
    (folder / "report.json").write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")

"""A report's figures as a plot: error rates with their intervals, and sizes."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

from adaptwin_core.domain.task_keys import WindowKind
from adaptwin_core.domain.units import Unit

mpl.use("Agg")
import matplotlib.pyplot as plt

COLOURS = {"original": "#5b6770", "compressed": "#0a7d5a"}
_SETS = {"speaker": "this speaker", "general": "other speakers"}
PNG, SVG = "report.png", "report.svg"
OTHER_WINDOW = "#8fcbb8"  # of the compressed model in windows that it is not for


def write_plot(report: Mapping[str, Any], out: Path) -> list[Path]:
    """Draw error rates with their intervals, and sizes, as PNG and SVG."""
    sets = [(name, report["speech"][name]) for name in ("speaker", "general") if name in report["speech"]]
    figure, (errors, sizes) = plt.subplots(1, 2, figsize=(9, 3.6), gridspec_kw={"width_ratios": [3, 2]})
    for place, (label, colour, scores) in enumerate(_heard(report, [found for _, found in sets])):
        rows = [(index, row) for index, row in enumerate(scores) if row is not None]
        heights = [100 * row["error_rate"] for _, row in rows]
        spans = [
            [100 * (row["error_rate"] - row["error_rate_low"]) for _, row in rows],
            [100 * (row["error_rate_high"] - row["error_rate"]) for _, row in rows],
        ]
        places = [index + 0.27 * (place - 1) for index, _ in rows]
        bars = errors.bar(places, heights, 0.25, yerr=spans, capsize=3, color=colour, label=label)
        errors.bar_label(bars, fmt="%.1f", padding=3)
    errors.set_xticks(range(len(sets)), [f"{_SETS[name]}\n{found['num_clips']} held-out clips" for name, found in sets])
    errors.set_ylabel(f"{_rate(report)}, %")
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
    paths = [out / PNG, out / SVG]
    for path in paths:
        figure.savefig(path, dpi=120, metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)
    return paths


def picture(report: Mapping[str, Any]) -> str:
    """Return the plot as a line of Markdown, with words for those who do not see it."""
    shown = [
        f"{_rate(report)} of {_SETS[name]}: "
        + ", ".join(
            f"{100 * scores[0]['error_rate']:.1f} % ({label})"
            for label, _, scores in _heard(report, [found])
            if scores[0] is not None
        )
        for name, found in report["speech"].items()
    ]
    original, compressed = (report["size"][model]["total_params"] / 1e6 for model in ("original", "compressed"))
    shown.append(f"parameters: {original:.1f} million (original), {compressed:.1f} million (compressed)")
    told = "; ".join(shown)
    return f"![{told[0].upper()}{told[1:]}]({PNG})"


def _heard(
    report: Mapping[str, Any], speech: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str, str, list[Mapping[str, Any] | None]]]:
    """Yield each model in each kind of window: its label, its colour, and its score for each kind of speech."""
    yield "original, whole windows", COLOURS["original"], [found.get("original") for found in speech]
    chosen = WindowKind.of(report["window"]["margin_s"])
    for window in WindowKind:
        colour = COLOURS["compressed"] if window is chosen else OTHER_WINDOW
        yield f"compressed, {window} windows", colour, [found["windows"][window] for found in speech]


def _rate(report: Mapping[str, Any]) -> str:
    """Return the name of the error rate; both kinds of speech are of one language, so it is one for all."""
    return next((Unit(found["unit"]).rate for found in report["speech"].values()), "error rate")

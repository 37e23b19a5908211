"""A curve as a picture: word error rate over what was varied, the original beside it."""

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt

from bench.curve.points import Line, removed
from bench.frontier.plots import KINDS

VARIED = {
    "steps": "steps of tuning",
    "minutes": "minutes of this speaker's speech",
    "model": "base model",
    "cut": "of the encoder removed, %",
}


def draw(lines: list[Line], rows: dict[str, dict[str, Any]], title: str, out: Path) -> None:
    """Write one PNG with a view a line. `rows` by the names of their points."""
    figure, axes = plt.subplots(1, len(lines), figsize=(4.5 * len(lines), 4), squeeze=False)
    for axis, line in zip(axes[0], lines, strict=True):
        made, originals = ([rows[point.name] for point in points] for points in (line.points, line.originals()))
        over = [
            removed(row, original) if line.varied == "cut" else row[line.varied]
            for row, original in zip(made, originals, strict=True)
        ]
        for colour, (kind, said) in enumerate(KINDS.items()):
            wer = [row[f"{kind}_wer"] for row in made]
            reach = [[middle - low for middle, low, _ in wer], [high - middle for middle, _, high in wer]]
            style = {"color": f"C{colour}", "capsize": 3, "label": f"{said}, ours"}
            axis.errorbar(over, [middle for middle, _, _ in wer], yerr=reach, fmt="o-", **style)
            unmade = [original[f"{kind}_wer"][0] for original in originals]
            axis.plot(over, unmade, "--", color=f"C{colour}", label=f"{said}, original")
        axis.set(xlabel=VARIED[line.varied], ylabel="word error rate, %", ylim=(0, None))
        axis.spines[["top", "right"]].set_visible(False)
    axes[0][0].legend(frameon=False, fontsize=8)
    figure.suptitle(title)
    figure.tight_layout()
    figure.savefig(out, dpi=110)
    plt.close(figure)

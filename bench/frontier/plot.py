"""The frontier as a picture: word error rate over bytes, and over the share of the encoder that is removed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from bench.frontier.judge import original_of

KINDS = {"speaker": "this speaker", "others": "other speakers"}
MARKERS = {"float16": "o", "int8": "s", "int4": "^"}
MOST_WER = 3.0  # times the original's; rows above it stand in the table only, because they would flatten the rest
# The families whose points differ in how much of the encoder is left.
OVER_ENCODER = ("original", "smaller", "ours", "ours from the next smaller")

Rows = Sequence[dict[str, Any]]


def draw(how: dict[str, Any], rows: Rows, out: Path) -> None:
    """Write one PNG, with a column for each kind of speech."""
    figure, axes = plt.subplots(2, 2, figsize=(11, 8), sharey="col")
    original = original_of(rows)
    most = {kind: MOST_WER * original[f"{kind}_wer"][0] for kind in KINDS}
    shown = [row for row in rows if all(row[f"{kind}_wer"][0] <= most[kind] for kind in KINDS)]
    families = list(dict.fromkeys(row["family"] for row in shown))
    colours = {family: mpl.colormaps["tab20"](index) for index, family in enumerate(families)}
    for column, (kind, said) in enumerate(KINDS.items()):
        by_bytes, by_encoder = (axis[column] for axis in axes)
        for family in families:
            for precision in MARKERS:
                points = _of(shown, [family], precision)
                _line(by_bytes, points, kind, [row["bytes"] / 1e6 for row in points], colours[family], precision)
        for family in OVER_ENCODER:
            points = _of(shown, [family], "float16")
            removed = [100 * row["encoder_cut"] for row in points]
            _line(by_encoder, points, kind, removed, colours.get(family), "float16")
        by_bytes.set(title=said, xlabel="weights on disk, MB")
        by_encoder.set(xlabel="encoder removed, %")
    for axis in axes.flat:
        axis.set(ylabel="word error rate, %")
        axis.spines[["top", "right"]].set_visible(False)
    lines = [Line2D([], [], color=colours[family], label=family) for family in families]
    marks = [Line2D([], [], color="grey", marker=mark, linestyle="", label=name) for name, mark in MARKERS.items()]
    axes[0][1].legend(handles=lines + marks, frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    figure.suptitle(
        f"{how['model'].removeprefix('package:')} on {how['speaker']}; rows above {MOST_WER:.0f} times the original's "
        "errors are in the table only"
    )
    figure.tight_layout()
    figure.savefig(out, dpi=110)
    plt.close(figure)


def _of(rows: Rows, families: Sequence[str], precision: str) -> Rows:
    """Return the rows of some families in one form, the largest first."""
    found = [row for row in rows if row["family"] in families and row["precision"] == precision]
    return sorted(found, key=lambda row: -row["total_params"])


def _line(axis: Axes, rows: Rows, kind: str, over: Sequence[float], colour: Any, precision: str) -> None:
    style = "-" if len(rows) > 1 else ""
    axis.plot(over, [row[f"{kind}_wer"][0] for row in rows], color=colour, marker=MARKERS[precision], linestyle=style)

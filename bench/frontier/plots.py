"""The frontier as pictures: word error rate over bytes, and over the share of the encoder removed."""

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt

KINDS = {"speaker": "this speaker", "others": "other speakers"}
MOST_WER = 100.0  # rows above this are named in the table only: they would flatten every difference


def draw(rows: list[dict[str, Any]], title: str, out: Path) -> None:
    """Write one PNG with both views, a column a kind of speech."""
    figure, axes = plt.subplots(2, 2, figsize=(11, 8.5), sharey="col")
    shown = [row for row in rows if row["speaker_wer"][0] <= MOST_WER]
    families = list(dict.fromkeys(row["family"] for row in shown))
    colours = {family: f"C{index}" for index, family in enumerate(families)}
    for column, (kind, said) in enumerate(KINDS.items()):
        for family in families:
            for precision, marker in (("float16", "o"), ("int8", "s"), ("int4", "^")):
                points = [row for row in shown if row["family"] == family and row["precision"] == precision]
                wer = [row[f"{kind}_wer"][0] for row in points]
                size = [row["bytes"] / 1e6 for row in points]
                cut = [100 * row["encoder_cut"] for row in points]
                style = {"color": colours[family], "marker": marker, "linestyle": "-" if len(points) > 1 else ""}
                axes[0][column].plot(size, wer, label=f"{family}, {precision}" if points else None, **style)
                if precision == "float16":
                    axes[1][column].plot(cut, wer, **style)
        axes[0][column].set(title=said, xlabel="weights on disk, MB", ylabel="word error rate, %")
        axes[1][column].set(xlabel="encoder removed, %", ylabel="word error rate, %")
    axes[0][1].legend(frameon=False, fontsize=7, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    for axis in axes.flat:
        axis.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title)
    figure.tight_layout()
    figure.savefig(out, dpi=110)
    plt.close(figure)

"""The committed runs of the latency as pages show them: a table and a picture for each run."""

import json
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from bench.finished import OURS, STOCK
from bench.markdown import NO_RUN, markdown_table
from bench.runner import RESULTS, Row
from bench.word_errors import as_text

COLUMNS = (
    "runtime and form",
    "utterance, s",
    "encoder, ms",
    "decoder, ms",
    "all, ms",
    "encoder, times faster",
    "all, times faster",
    "word error rate, stock",
    "ours",
    "ours to stock",
)
COLOURS = {"encoder": "#0b7f5a", "decoder": "#e0a030", "rest": "#9aa5ad"}
WIDTH = 0.38  # of a bar, where 1 lies between two lengths


def table() -> str:
    """Return the picture and the table of each run, or a sentence where there is no run."""
    return "\n\n".join(_section(path) for path in _runs()) or NO_RUN


def draw() -> None:
    """Write a picture beside each run."""
    for path in _runs():
        draw_run(json.loads(path.read_text()), path.with_suffix(".png"))


def lines_of(rows: list[Row]) -> list[list[str]]:
    """Return the cells of a run, a line for each form and length. Cells with two numbers are stock / ours."""
    found = []
    for stock, ours in pairs_of(rows).values():
        times = [
            f"{1000 * stock[part]:.0f} / {1000 * ours[part]:.0f}" for part in ("encoder_s", "decoder_s", "total_s")
        ]
        faster = ["{:.1f} ({:.1f}-{:.1f})".format(*ours[f"{part}_times_faster"]) for part in ("encoder", "total")]
        rates = [as_text(stock["wer"]), as_text(ours["wer"]), as_text(ours["wer_above_stock"])]
        found.append([f"`{ours['form']}`", f"{ours['mean_s']:.1f}", *times, *faster, *rates])
    return found


def draw_run(run: Row, out: Path) -> None:
    """Write a picture of a run: a panel for each form, and for each length the bars of stock and ours."""
    pairs = pairs_of(run["rows"])
    forms = list(dict.fromkeys(form for form, _ in pairs))
    figure, axes = plt.subplots(1, len(forms), figsize=(1 + 3.2 * len(forms), 3.7), squeeze=False, layout="constrained")
    for axis, form in zip(axes[0], forms, strict=True):
        _panel(axis, [pair for (its_form, _), pair in pairs.items() if its_form == form])
        axis.set_title(form, fontsize=10)
    axes[0][0].set_ylabel("seconds from the end of speech to text")
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(COLOURS), frameon=False, fontsize=8)
    figure.savefig(out, dpi=110)
    plt.close(figure)


def _panel(axis: Axes, pairs: list[tuple[Row, Row]]) -> None:
    for place, pair in enumerate(pairs):
        for row, side in zip(pair, (-0.5, 0.5), strict=True):
            left, base = place + side * (WIDTH + 0.04), 0.0
            for part, colour in COLOURS.items():
                height = _rest(row) if part == "rest" else row[f"{part}_s"]
                axis.bar(left, height, WIDTH, base, color=colour, label=None if place or side > 0 else part)
                base += height
            axis.annotate(row["model"], (left, base), (0, 2), textcoords="offset points", ha="center", fontsize=7)
    axis.set_xticks(range(len(pairs)), [f"{ours['mean_s']:.1f} s" for _, ours in pairs])
    axis.set_xlabel("utterance")
    axis.spines[["top", "right"]].set_visible(False)


def _rest(row: Row) -> float:
    """Return the seconds that are neither of the encoder nor of the decoder; all four are medians by themselves."""
    return max(0.0, float(row["total_s"] - row["encoder_s"] - row["decoder_s"]))


def pairs_of(rows: list[Row]) -> dict[tuple[str, float], tuple[Row, Row]]:
    """Return the rows of stock and ours by form and length."""
    found = {(row["form"], row["seconds"], row["model"]): row for row in rows}
    keys = dict.fromkeys((row["form"], row["seconds"]) for row in rows)
    return {key: (found[*key, STOCK], found[*key, OURS]) for key in keys}


def _section(path: Path) -> str:
    run = json.loads(path.read_text())
    how = run["how"]
    window = "whole windows" if how["margin_s"] is None else f"windows fitted with a margin of {how['margin_s']:g} s"
    title = f"**{how['model']}, `{how['speech']}`, {how['threads']} threads; ours in {window}**"
    picture = f"![Seconds to the text, stock and ours](../bench/results/{path.stem}.png)"
    return "\n\n".join([title, picture, markdown_table(COLUMNS, lines_of(run["rows"]))])


def _runs() -> list[Path]:
    return sorted(RESULTS.glob("latency*.json"))

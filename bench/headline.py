"""The README's table and its picture, from the committed runs of the frontier.

Four models with weights in 8 bits: two sizes of Whisper, each as it is and fine-tuned here with nothing cut.
"""

import json
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt

from bench.markdown import markdown_table
from bench.runner import RESULTS, Row

PICTURE = RESULTS / "headline.png"
SPEAKERS = {
    "a synthetic voice that Whisper mishears": "frontier-espeak-synthetic.json",
    "LJSpeech, a voice that it knows well": "frontier-lj.json",
}
# What the README calls a model; its name in a run.
MODELS = {
    "Whisper base, original": "original",
    "Whisper tiny.en, fine-tuned": "ours from the next smaller, nothing cut",
    "Whisper tiny.en, original": "next smaller Whisper",
    "Whisper base, fine-tuned": "ours, nothing cut",
}
BEST = "Whisper tiny.en, fine-tuned"
GREY, GREEN = "#5b6770", "#0b7f5a"


def rows(run: str) -> dict[str, Row]:
    """Return the four rows of one speaker, in the order of the table."""
    found = {
        row["system"]: row for row in json.loads((RESULTS / run).read_text())["rows"] if row["precision"] == "int8"
    }
    return {name: found[system] for name, system in MODELS.items()}


def table() -> str:
    """Return Markdown: size in MB, then each speaker's word error rate in % with its 95 % interval."""
    found = [rows(run) for run in SPEAKERS.values()]
    lines = []
    for name in MODELS:
        rates = ["{:.1f} % ({:.1f}-{:.1f})".format(*speaker[name]["speaker_wer"]) for speaker in found]
        cells = [name, f"{found[0][name]['bytes'] / 1e6:.0f}", *rates]
        lines.append([f"**{cell}**" for cell in cells] if name == BEST else cells)
    return markdown_table(["model, weights in 8 bits", "MB", "synthetic speaker", "LJSpeech"], lines)


def draw(out: Path = PICTURE) -> None:
    """Write the picture: a panel a speaker, word error rate over size, with the intervals of the table."""
    figure, axes = plt.subplots(1, len(SPEAKERS), figsize=(9, 3.4))
    for axis, (title, run) in zip(axes, SPEAKERS.items(), strict=True):
        for name, row in rows(run).items():
            model, state = name.removeprefix("Whisper ").split(", ")
            rate, low, high = row["speaker_wer"]
            colour, side = (GREEN, -1) if state == "fine-tuned" else (GREY, 1)
            megabytes = row["bytes"] / 1e6 + side  # a little apart, so that intervals do not hide one another
            axis.errorbar(megabytes, rate, [[rate - low], [high - rate]], fmt="o", color=colour, capsize=3)
            axis.annotate(
                f"{model}, {state}\n{rate:.1f} %",
                (megabytes, rate),
                xytext=(7 * side, 0),
                textcoords="offset points",
                ha="left" if side > 0 else "right",
                va="center",
                fontsize=8,
                color=colour,
            )
        axis.set(title=title, xlabel="weights on disk, MB", ylabel="word error rate, %", xlim=(0, 110), ylim=(0, None))
        axis.title.set_fontsize(10)
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(out, dpi=110)
    plt.close(figure)

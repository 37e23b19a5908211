"""The README's table, its picture and its sentence on speed, from the committed runs of finished models.

Three models with weights in 8 bits: two sizes of Whisper as they are, and the smaller one fine-tuned by a job.
"""

import json
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt

from bench.finished import OURS, STOCK
from bench.latency.table import pairs_of
from bench.markdown import NO_RUN, markdown_table
from bench.runner import RESULTS, Row

PICTURE = RESULTS / "headline.png"
SPEED = RESULTS / "latency.json"
SPOKEN_S = 4.0  # the length of the utterance that the sentence on speed is about
SPEAKERS = {
    "a synthetic voice that Whisper mishears": "espeak",
    "LJSpeech, a voice that it knows well": "lj",
}
# What the README calls a model, and its name in a run.
MODELS = {
    "Whisper base, original": "whisper-base",
    "Whisper tiny.en, original": STOCK,
    "Whisper tiny.en, fine-tuned": OURS,
}
BEST = "Whisper tiny.en, fine-tuned"
GREY, GREEN = "#5b6770", "#0b7f5a"


def rows(speaker: str) -> dict[str, Row]:
    """Return the three rows of one speaker, in the order of the table. Ours is heard as it was published."""
    run = json.loads((RESULTS / f"windows-{speaker}-tiny.en.json").read_text())
    margins = {OURS: run["how"]["margin_s"]}
    found = {(row["model"], row["margin_s"]): row for row in run["rows"]}
    return {name: found[model, margins.get(model)] for name, model in MODELS.items()}


def table() -> str:
    """Return Markdown: size in MB, then each speaker's word error rate in % with its 95 % interval."""
    found = [rows(speaker) for speaker in SPEAKERS.values()]
    lines = []
    for name in MODELS:
        rates = ["{:.1f} % ({:.1f}-{:.1f})".format(*speaker[name]["speaker_wer"]) for speaker in found]
        cells = [name, "{:.0f}".format(found[0][name]["bytes"] / 1e6), *rates]
        lines.append([f"**{cell}**" for cell in cells] if name == BEST else cells)
    return markdown_table(["model, weights in 8 bits", "MB", "synthetic speaker", "LJSpeech"], lines)


def speed() -> str:
    """Return the sentence that says how long a person waits in CTranslate2, or that it was not measured."""
    if not SPEED.exists():
        return NO_RUN
    run = json.loads(SPEED.read_text())
    stock, ours = pairs_of(run["rows"])["ct2-int8", SPOKEN_S]
    return (
        f"**It also answers sooner.** After {SPOKEN_S:.0f} s of speech, CTranslate2 on {run['how']['threads']} threads "
        f"has the text in {1000 * ours['total_s']:.0f} ms, not {1000 * stock['total_s']:.0f}. "
        f"That is {ours['total_times_faster'][0]:.1f} times faster; the encoder alone is "
        f"{ours['encoder_times_faster'][0]:.0f} times faster. "
        "[Other runtimes](docs/latency.md) gain more."
    )


def draw(out: Path = PICTURE) -> None:
    """Write the picture: a panel a speaker, word error rate over size, with the intervals of the table."""
    figure, axes = plt.subplots(1, len(SPEAKERS), figsize=(9, 3.4))
    for axis, (title, speaker) in zip(axes, SPEAKERS.items(), strict=True):
        for name, row in rows(speaker).items():
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

"""`docs/ablations.md` from the committed runs: `python -m bench.ablations.page`."""

import json
from itertools import groupby
from pathlib import Path
from typing import Any

from bench.word_errors import as_text

RESULTS, PAGE = Path("bench/results"), Path("docs/ablations.md")
CLOSED_FORM, TRAINING = RESULTS / "ablations.json", RESULTS / "ablations-training.json"
EMBEDDING, DECODER = RESULTS / "ablations-embedding.json", RESULTS / "ablations-decoder.json"
ROUNDING, TRAINING_HARD = RESULTS / "ablations-rounding.json", RESULTS / "ablations-training-espeak-synthetic.json"
TRAINING_ORDER = RESULTS / "ablations-training-order.json"
UNTRANSCRIBED = RESULTS / "ablations-training-untranscribed.json"
UNTRANSCRIBED_AFTER = RESULTS / "ablations-training-untranscribed-after.json"


# What the committed run says; read anew whenever it is made anew.
READING = """What was taken from it:

- **QK**: the twin, its keys centred or not (two percent apart). A basis shared by all heads, on top of twins of 3/4,
  loses half as much at the same parameters; but it needs two thin matrices where CTranslate2, whisper.cpp and MLX hold
  one, and its heads stay large, so it saves little time: left out.
- **VO**: the twin with all heads refitted together, under the moments of the attended values. Each head alone loses
  three to four and a half times as much; the moments of the values before attention, thirty to fifty-five times.
- **Feed-forward**: neurons go. Low rank does not pay at any size, alone or after pruning. Which neurons go matters
  little once the others are refitted: plain energy is as good as the optimal brain surgeon.
- **The plan**: measured sizes lose a third to a sixth of what uniform low rank loses at the same parameters. Equal QK
  and VO cost an eighth more.
- **λ**: half and half is as good for the speaker as the speaker alone, and far better for others.
- **Refitting layer after layer** on what the cut layers before it really say makes the error on unseen speech worse:
  left out. Layer-wise tuning takes up to a tenth off.
"""
TRAINING_READING = """This speaker the original hears well, so every change lies within the others' intervals. Tuning
counts where the original fails: [on the frontier](frontier.md) it takes a synthetic speaker at a cut of 45 % from
22.0 % of words wrong to 4.5 %. Products in bfloat16 change nothing that is heard, and take a quarter less time; what
the original must first write down, where no transcript was given, costs two minutes."""

HARD_READING = """A speaker whom the original fails (**synthetic speech**), on a small model cut deep. That the
transcripts alone teach, and the original's words for the speaker do not, is what counts: it gets a third fewer of the
speaker's words wrong, and more of others'; the intervals of both overlap. How many windows are short changes the time;
what it changes in words lies within the intervals."""

ORDER_READING = """The same speaker and model at a later code version: 240 steps before the cut and 80 after it, against
as many after it alone, and against none after it. Both of the others get more of the speaker's words wrong, by four to
six of 604; with all steps after the cut, two fewer of other voices', in a third less time. All intervals overlap: what
speaks for this order is Whisper base [on the frontier](frontier.md), where other voices gained at a cut of 45 % by it,
and that every size of one person's model starts from the same."""

UNTRANSCRIBED_READING = """A speaker without transcripts, in the order of one who has them. With them the same cut
has 5.93 % [on the frontier](frontier.md)."""

UNTRANSCRIBED_AFTER_READING = """The same, with all steps after the cut, as a job does it where it finds no transcripts:
seven fewer of the speaker's 943 words wrong, three more of other voices', intervals overlapping, in seven tenths of the
time. There is nothing of the speaker to be learnt first, and the words are asked for once."""


def page() -> str:
    """Return the page; all but the closed forms only once their runs are there."""
    lines = [
        "# What each piece of the method is worth",
        "",
        "One change at a time, on real speech. `python -m bench.ablations` makes the figures, `python -m "
        "bench.ablations.page` this page.",
        "",
        *_closed_form(json.loads(CLOSED_FORM.read_text())),
    ]
    if EMBEDDING.exists():
        lines += _embedding(json.loads(EMBEDDING.read_text()))
    if DECODER.exists():
        lines += _decoder(json.loads(DECODER.read_text()))
    if ROUNDING.exists():
        lines += _rounding(json.loads(ROUNDING.read_text()))
    trainings = (
        (TRAINING, TRAINING_READING),
        (TRAINING_HARD, HARD_READING),
        (TRAINING_ORDER, ORDER_READING),
        (UNTRANSCRIBED, UNTRANSCRIBED_READING),
        (UNTRANSCRIBED_AFTER, UNTRANSCRIBED_AFTER_READING),
    )
    for path, reading in trainings:
        if path.exists():
            lines += _training(json.loads(path.read_text()), reading)
    return "\n".join(lines)


def _closed_form(closed: dict[str, Any]) -> list[str]:
    lines = [
        f"## Closed forms, {_what(closed['how'])}",
        "",
        f"Judged by {closed['how']['judged_by']}, packed windows of held-out speech, without any training unless it is "
        "said. One part of every encoder layer is cut, then whole plans. Parameters of one group are alike; seconds "
        "are those of the encoder on one window of 30 s, noisy. Forms that need moments which the product does not "
        f"take see {closed['how']['seen_windows']} windows of each kind of speech, the others "
        f"{closed['how']['settings']['calibration_windows']}.",
        "",
        READING,
    ]
    for group, rows in groupby(closed["rows"], key=lambda row: row["group"]):
        lines += [f"### {group}", "", "| form | error, this speaker | error, others | encoder, M | s a window |"]
        lines += ["|---|---|---|---|---|", *(_closed_row(row) for row in rows), ""]
    return lines


def _embedding(embedding: dict[str, Any]) -> list[str]:
    return [
        f"## Token embedding, {_what(embedding['how'])}",
        "",
        f"Judged by {embedding['how']['judged_by']}: how far it is from the original's (KL), how often the first "
        "choice stays. Nothing else is cut. At two and a half times the bytes of 4 bits, low rank loses three to eight "
        "times as much, so it is left out: the embedding is made smaller by `weights` alone.",
        "",
        "| form | MB | KL, this speaker | KL, others | same, this speaker | same, others |",
        "|---|---|---|---|---|---|",
        *(
            f"| {row['change']} | {row['megabytes']} | {row['speaker_kl']:.4f} | {row['others_kl']:.4f} "
            f"| {row['speaker_same']:.1%} | {row['others_same']:.1%} |"
            for row in embedding["rows"]
        ),
        "",
    ]


def _decoder(decoder: dict[str, Any]) -> list[str]:
    return [
        f"## The decoder's neurons, {_what(decoder['how'])}",
        "",
        f"Judged by {decoder['how']['judged_by']}, mean of all layers, closed form. A window has 1500 positions for "
        "the encoder, some 75 tokens for the decoder: where neurons are about as many, the least squares fit the few "
        "tokens measured. So the neurons' covariance is shrunk by so much of their mean variance for every neuron a "
        "position, and sizes are weighed on windows that were not measured.",
        "",
        "| windows of each kind | positions a neuron | shrinkage | error on measured speech | on other speech |",
        "|---|---|---|---|---|",
        *(
            f"| {row['windows']} | {row['positions_a_neuron']} | {row['shrinkage']} | {row['seen_error']:.4f} "
            f"| {row['unseen_error']:.4f} |"
            for row in decoder["rows"]
        ),
        "",
    ]


def _rounding(rounding: dict[str, Any]) -> list[str]:
    return [
        f"## Weights in fewer bits, {_what(rounding['how'])}",
        "",
        f"Judged by {rounding['how']['judged_by']}: what it costs in nats, and how far it is from the same model's in "
        "float32 (KL). *Nearest* takes for every weight the nearest level; *for the inputs* lets the columns of a "
        "matrix make up for what those before them lose, under the inputs that the finished model gives it (GPTQ); "
        "`weights: int4` then trains the scales of its layers, the levels as they are (PEQA). That teaches, too, so "
        "its cost may be below the same model's in float16: the original learns this speaker by it. Of ours, which has "
        "learnt, it wins back a tenth of what 4 bits still cost this speaker, and nothing for others.",
        "",
        "| model | form | MB | cost, this speaker | cost, others | KL, this speaker | KL, others |",
        "|---|---|---|---|---|---|---|",
        *(
            f"| {row['model']} | {row['form']} | {row['megabytes']} | {row['speaker_cost']:.4f} "
            f"| {row['others_cost']:.4f} | {row['speaker_kl']:.4f} | {row['others_kl']:.4f} |"
            for row in rounding["rows"]
        ),
        "",
    ]


def _training(training: dict[str, Any], reading: str) -> list[str]:
    return [
        f"## Training, {_what(training['how'])}",
        "",
        f"Judged by {training['how']['judged_by']}. Other settings: `{json.dumps(_changed(training['how']))}`.",
        "",
        reading,
        "",
        "| change | WER speaker | WER others | seconds |",
        "|---|---|---|---|",
        *(
            f"| {row['change']} | {as_text(row['speaker_wer'])} | {as_text(row['others_wer'])} | {row['seconds']:.0f} |"
            for row in training["rows"]
        ),
        "",
    ]


def _what(how: dict[str, Any]) -> str:
    return f"{how['model'].removeprefix('package:')} on `{how['speaker']}`"


def _changed(how: dict[str, Any]) -> dict[str, Any]:
    names = ("encoder_cut", "personal_steps", "tune_steps", "layer_steps")
    return {name: how["settings"][name] for name in names if name in how["settings"]}


def _closed_row(row: dict[str, Any]) -> str:
    return (
        f"| {row['change']} | {row['speaker_error']:.4f} | {row['others_error']:.4f} "
        f"| {row['encoder_params'] / 1e6:.2f} | {row['window_s']:.2f} |"
    )


if __name__ == "__main__":
    PAGE.write_text(page())

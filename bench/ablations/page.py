"""`docs/ablations.md` from the committed runs: `python -m bench.ablations.page`."""

import json
from itertools import groupby
from pathlib import Path
from typing import Any

from bench.word_errors import as_text

RESULTS, PAGE = Path("bench/results"), Path("docs/ablations.md")
CLOSED_FORM, TRAINING = RESULTS / "ablations.json", RESULTS / "ablations-training.json"


def page() -> str:
    """Return the page."""
    closed, training = (json.loads(path.read_text()) for path in (CLOSED_FORM, TRAINING))
    lines = [
        "# What each piece of the method is worth",
        "",
        "One change at a time, on real speech. `python -m bench.ablations` makes the figures, `python -m "
        "bench.ablations.page` this page.",
        "",
        f"## Closed forms, {_what(closed['how'])}",
        "",
        f"Judged by {closed['how']['judged_by']}, packed windows of held-out speech, without any training unless it is "
        "said. One part of every encoder layer is cut, then whole plans. Parameters of one group are alike; seconds "
        "are those of the encoder on one window of 30 s. Forms that need moments which the product does not take see "
        f"{closed['how']['seen_windows']} windows of each kind of speech, the others "
        f"{closed['how']['settings']['calibration_windows']}.",
        "",
    ]
    for group, rows in groupby(closed["rows"], key=lambda row: row["group"]):
        lines += [f"### {group}", "", "| form | error, this speaker | error, others | encoder, M | s a window |"]
        lines += ["|---|---|---|---|---|", *(_closed_row(row) for row in rows), ""]
    lines += [
        f"## Training, {_what(training['how'])}",
        "",
        f"Judged by {training['how']['judged_by']}. Other settings: `{json.dumps(_changed(training['how']))}`.",
        "",
        "| change | WER speaker | WER others | seconds |",
        "|---|---|---|---|",
        *(
            f"| {row['change']} | {as_text(row['speaker_wer'])} | {as_text(row['others_wer'])} | {row['seconds']:.0f} |"
            for row in training["rows"]
        ),
        "",
    ]
    return "\n".join(lines)


def _what(how: dict[str, Any]) -> str:
    return f"{how['model'].removeprefix('package:')} on `{how['speaker']}`"


def _changed(how: dict[str, Any]) -> dict[str, Any]:
    return {name: how["settings"][name] for name in ("encoder_cut", "tune_steps", "layer_steps")}


def _closed_row(row: dict[str, Any]) -> str:
    return (
        f"| {row['change']} | {row['speaker_error']:.4f} | {row['others_error']:.4f} "
        f"| {row['encoder_params'] / 1e6:.2f} | {row['window_s']:.2f} |"
    )


if __name__ == "__main__":
    PAGE.write_text(page())

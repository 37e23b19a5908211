"""`docs/curve.md` from the committed runs: `python -m bench.curve.page`."""

import json
from pathlib import Path
from typing import Any

from bench.curve.points import removed
from bench.frontier.judge import above
from bench.word_errors import as_text

RESULTS, PAGE = Path("bench/results"), Path("docs/curve.md")


def page() -> str:
    """Return the page: every run with its picture and its table."""
    lines = [
        "# What a better model takes",
        "",
        "Steps of tuning, minutes of speech, the size of the base model, how much of its encoder goes: one is changed "
        "at a time, the others stay as a job has them. `python -m bench.curve` makes the figures, "
        "`python -m bench.curve.page` this page. Word error rates are in %, with 95 % bootstrap intervals; *to the "
        "original* is how many points they are above those of the model's own original on the same clips, with the "
        "interval of that difference. Steps are those in which a model learns its speaker: after the cut until code "
        "version 15, before it since.",
        "",
    ]
    for path in sorted(RESULTS.glob("curve*.json")):
        run = json.loads(path.read_text())
        how, rows = run["how"], run["rows"]
        originals = {row["model"]: row for row in rows if row["steps"] is None}
        lines += [
            f"## {how['model'].removeprefix('package:')} on `{how['speaker']}`, encoder "
            f"-{how['settings']['encoder_cut']:.0%}",
            "",
            f"{how['clips_judged_of_each_kind']} held-out clips of each kind at most; {how['threads']} threads; code "
            f"version {how['code_version']}.",
            "",
            f"![Word error rate over what was changed](../bench/results/{path.stem}.png)",
            "",
            "| base model | encoder removed, % | steps | minutes | WER speaker | to the original | WER others "
            "| to the original | tuning, s |",
            "|---|---|---|---|---|---|---|---|---|",
            *(_row(row, originals[row["model"]]) for row in rows),
            "",
        ]
    return "\n".join(lines)


def _row(row: dict[str, Any], original: dict[str, Any]) -> str:
    is_original = row is original
    rates = []
    for kind in ("speaker", "others"):
        rates += [as_text(row[f"{kind}_wer"]), "-" if is_original else as_text(above(row, original, kind))]
    trained = ["original", "-"] if is_original else [str(row["steps"]), str(row["minutes"])]
    cells = [row["model"], str(removed(row, original)), *trained, *rates, f"{row['tuning_s']:.0f}"]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    PAGE.write_text(page())

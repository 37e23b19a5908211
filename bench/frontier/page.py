"""`docs/frontier.md` from the committed runs: `python -m bench.frontier.page`."""

import json
from pathlib import Path
from typing import Any

from bench.word_errors import as_text

RESULTS, PAGE = Path("bench/results"), Path("docs/frontier.md")


def page() -> str:
    """Return the page: a table and a picture of every run."""
    lines = [
        "# Ours against every alternative",
        "",
        "`python -m bench.frontier` makes the figures, `python -m bench.frontier.page` this page. Word error rates are "
        "in %, with 95 % bootstrap intervals; bytes are those of the weights as stored; seconds a second are of "
        "float32 on a CPU, greedy, one clip a window. Rows are sorted by bytes.",
        "",
    ]
    for path in sorted(RESULTS.glob("frontier*.json")):
        if path.stem == "frontier-quick":
            continue
        run = json.loads(path.read_text())
        how = run["how"]
        lines += [
            f"## {how['model'].removeprefix('package:')} on `{how['speaker']}`",
            "",
            f"{how['clips_judged_of_each_kind']} held-out clips of each kind at most; {how['settings']['tune_steps']} "
            f"steps of tuning wherever a row is tuned; {how['threads']} threads.",
            "",
            f"![WER over bytes and over the cut](../bench/results/{path.stem}.png)",
            "",
            "| system | weights | encoder, M | model, M | MB | WER speaker | WER others | s a second | tuning, s |",
            "|---|---|---|---|---|---|---|---|---|",
            *(_row(row) for row in sorted(run["rows"], key=lambda row: row["bytes"])),
            "",
        ]
    return "\n".join(lines)


def _row(row: dict[str, Any]) -> str:
    sizes = [f"{row[name] / 1e6:.1f}" for name in ("encoder_params", "total_params", "bytes")]
    rates = [as_text(row[f"{kind}_wer"]) for kind in ("speaker", "others")]
    speed = f"{row['compute_s_per_audio_s']:.3f}" if "compute_s_per_audio_s" in row else "-"
    cells = [row["system"], row["precision"], *sizes, *rates, speed, f"{row['tuning_s']:.0f}"]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    PAGE.write_text(page())

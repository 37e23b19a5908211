"""`docs/frontier.md` and its pictures from the committed runs: `python -m bench.frontier.page`."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from bench.frontier.judge import above, original_of
from bench.frontier.plots import draw
from bench.word_errors import as_text

RESULTS, PAGE = Path("bench/results"), Path("docs/frontier.md")
LORA = "original, tuned"  # a family


def page() -> str:
    """Draw the picture of every run, and return the page with them and their tables."""
    lines = [
        "# Ours against every alternative",
        "",
        "`python -m bench.frontier` makes the figures, `python -m bench.frontier.page` this page. Word error rates "
        "are in %, with 95 % bootstrap intervals; *to the original* is how many points they are above those of the "
        "original in float16 on the same clips, with the interval of that difference. Bytes are those of the weights "
        "as stored; seconds a second are of float32 on a CPU, greedy, one clip a window; a dash stands for seconds "
        "that were not measured, or on another processor than the other rows. Rows are sorted by bytes.",
        "",
    ]
    for path in sorted(RESULTS.glob("frontier*.json")):
        if path.stem == "frontier-quick":
            continue
        run = json.loads(path.read_text())
        how = run["how"]
        draw(how, run["rows"], path.with_suffix(".png"))
        lines += [
            f"## {how['model'].removeprefix('package:')} on `{how['speaker']}`",
            "",
            f"{how['clips_judged_of_each_kind']} held-out clips of each kind at most; {_steps(how['settings'])}; "
            f"{how['threads']} threads; code version {_versions(run['rows'])}.",
            "",
            f"![WER over bytes and over the cut](../bench/results/{path.stem}.png)",
            "",
            "| system | weights | encoder, M | model, M | MB | WER speaker | to the original | WER others "
            "| to the original | s a second | tuning, s |",
            "|---|---|---|---|---|---|---|---|---|---|---|",
            *(_row(row, original_of(run["rows"])) for row in sorted(run["rows"], key=lambda row: row["bytes"])),
            "",
            _unbeaten(run["rows"]),
            "",
        ]
    return "\n".join(lines)


def _steps(settings: dict[str, Any]) -> str:
    after = settings["tune_steps"]
    if "personal_steps" not in settings:  # before code version 16
        return f"{after} steps of tuning wherever a row is tuned"
    before = settings["personal_steps"]
    told = f"ours learn in {before} steps before a cut and {after} after it, LoRA in as many windows as both"
    scaled = settings.get("scale_steps")  # since code version 17
    rounded = f"in int4 all are rounded for the speech (GPTQ), and ours train their scales in {scaled} steps more"
    return f"{told}; {rounded}" if scaled else told


def _versions(rows: list[dict[str, Any]]) -> str:
    """Say which code made the rows; where that of some rows is another, which these are."""
    (most, _), *others = Counter(row["code_version"] for row in rows).most_common()
    apart = [
        f"{version} for {', '.join(_called(row) for row in rows if row['code_version'] == version)}"
        for version, _ in others
    ]
    return "; ".join([str(most), *apart])


def _row(row: dict[str, Any], original: dict[str, Any]) -> str:
    sizes = [f"{row[name] / 1e6:.1f}" for name in ("encoder_params", "total_params", "bytes")]
    rates = []
    for kind in ("speaker", "others"):
        rates += [as_text(row[f"{kind}_wer"]), "-" if row is original else as_text(above(row, original, kind))]
    speed = f"{row['compute_s_per_audio_s']:.3f}" if "compute_s_per_audio_s" in row else "-"
    tuning = f"{row['tuning_s']:.0f}" if "tuning_s" in row else "-"
    cells = [row["system"], row["precision"], *sizes, *rates, speed, tuning]
    return f"| {' | '.join(cells)} |"


def _unbeaten(rows: list[dict[str, Any]]) -> str:
    """Say which rows of others no row of ours matches, as few bytes and as few errors for the speaker, and by how much
    the best of ours of no more bytes misses them.
    """
    ours = [row for row in rows if row["family"].startswith("ours")]
    cut = [row for row in ours if row["encoder_cut"] > 0]
    others = [row for row in rows if row not in ours]
    whole = [row for row in ours if row not in cut]
    has_lora = any(row["family"] == LORA for row in others)
    without = "" if has_lora else " (**without LoRA as others do it**, which this run did not make)"
    return (
        f"**Ours** against all others{without}: {_matched(ours, others)}\n\n"
        "**Of ours those that are cut**, against all "
        f"else, the product's own models of nothing cut (`encoder_cut: 0`) among it: {_matched(cut, whole + others)}"
    )


def _matched(ours: list[dict[str, Any]], others: list[dict[str, Any]]) -> str:
    better = []
    for row in others:
        small = [one for one in ours if one["bytes"] <= row["bytes"]]
        best = min(small, key=lambda one: one["speaker_wer"][0], default=None)
        if best is None or best["speaker_wer"][0] > row["speaker_wer"][0]:
            nearest = f"; {_name(best)}: {as_text(above(best, row, 'speaker'))} points above it" if best else ""
            better.append(f"- {_name(row)}, {row['speaker_wer'][0]} %{nearest}")
    if not better:
        return "for every row there is one of no more bytes and no more errors for this speaker."
    return "\n".join(["none has as few bytes and as few errors for this speaker as", "", *better])


def _name(row: dict[str, Any]) -> str:
    return f"{_called(row)} ({row['bytes'] / 1e6:.1f} MB)"


def _called(row: dict[str, Any]) -> str:
    return f"{row['system']} in {row['precision']}"


if __name__ == "__main__":
    PAGE.write_text(page())

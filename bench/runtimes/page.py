"""`docs/runtimes.md` from the committed runs: `python -m bench.runtimes.page`."""

import json
from pathlib import Path
from typing import Any

from bench.word_errors import as_text

RESULTS, PAGE = Path("bench/results"), Path("docs/runtimes.md")
BEHAVIOUR = RESULTS / "behaviour.json"
SHAPES = RESULTS / "ct2-shapes.json"


def page() -> str:
    """Return the page: a table for each run of bench.runtimes, then what bench.behaviour found."""
    lines = [
        "# A model in every runtime, beside the stock Whisper there",
        "",
        "`python -m bench.runtimes` makes the figures, `python -m bench.runtimes.page` this page. The stock Whisper "
        "went through the same exporters. Greedy, no timestamps, one clip a window, each form in a process of its own; "
        "word error rates in %, with 95 % bootstrap intervals; peak memory is that of the whole process.",
        "",
    ]
    for path in sorted(RESULTS.glob("runtimes*.json")):
        lines += _runtimes(json.loads(path.read_text()))
    if SHAPES.exists():
        lines += _shapes(json.loads(SHAPES.read_text()))
    if BEHAVIOUR.exists():
        lines += _behaviour(json.loads(BEHAVIOUR.read_text()))
    return "\n".join(lines)


def _runtimes(run: dict[str, Any]) -> list[str]:
    how, rows = run["how"], run["rows"]
    settings = how["settings"]
    encoders = {(row["form"], row["model"]): row["encoder"]["median_s"] for row in rows if "encoder" in row}
    return [
        f"## {how['model'].removeprefix('package:')}, {settings['encoder_cut']:.0%} of the encoder removed, "
        f"planned for {'any runtime' if settings['plan_for'] == 'any' else settings['plan_for']}",
        "",
        f"On `{how['speech']}`, {how['clips']} held-out clips; {how['threads']} threads; {how['date'][:10]}; "
        + ", ".join(f"{name} {version}" for name, version in how["libraries"].items())
        + f". Before any model is loaded a process holds {rows[0]['before_loading_mb']} MB.",
        "",
        "| form | model | MB | seconds a second of audio | peak memory, MB | WER |",
        "|---|---|---|---|---|---|",
        *(_row(row) for row in rows),
        "",
        "Encoders alone, one window of 30 s, turn by turn in one process: "
        + "; ".join(
            f"{form} takes {encoders[form, 'stock']:.3f} s stock and {encoders[form, 'ours']:.3f} s ours, "
            f"**{encoders[form, 'stock'] / encoders[form, 'ours']:.2f}×**"
            for form in dict.fromkeys(form for form, _ in encoders)
        )
        + ".",
        "",
    ]


def _row(row: dict[str, Any]) -> str:
    cells = (
        f"`{row['form']}`",
        row["model"],
        f"{row['bytes'] / 1e6:.1f}",
        f"{row['compute_s_per_audio_s']:.3f}",
        str(row["peak_memory_mb"]),
        as_text(row["wer"]),
    )
    return f"| {' | '.join(cells)} |"


def _shapes(run: dict[str, Any]) -> list[str]:
    rows = run["rows"]
    sizes = list(dict.fromkeys(row["neurons"] for row in rows))
    found = {(row["heads"], row["head_size"], row["neurons"]): row for row in rows}
    return [
        "## Sizes and speed in CTranslate2",
        "",
        f"`python -m bench.runtimes.shapes`: {run['how']['what']}; {run['how']['threads']} threads. How many times as "
        "fast as the whole encoder, and in brackets the share of its parameters that is gone.",
        "",
        f"| heads | columns of each | {' | '.join(f'{size} neurons' for size in sizes)} |",
        f"|---|---|{'---|' * len(sizes)}",
        *(
            f"| {heads} | {head} | "
            + " | ".join(
                f"{found[heads, head, size]['times_as_fast']:.2f} ({found[heads, head, size]['encoder_cut']:.0%})"
                for size in sizes
            )
            + " |"
            for heads, head in dict.fromkeys((row["heads"], row["head_size"]) for row in rows)
        ),
        "",
    ]


def _behaviour(run: dict[str, Any]) -> list[str]:
    how, times, long = run["how"], run["word_times"], run["ten_minutes"]
    return [
        "## Word times, and loops",
        "",
        f"`python -m bench.behaviour`: {how['decoding']}. Model and original, both as `ct2-float16`.",
        "",
        f"Words that both hear in {how['clips']} held-out clips start and end {times['mean_ms']} ms apart in the mean "
        f"({times['median_ms']} ms in the median, {times['percentile_95_ms']} ms at the 95th percentile, "
        f"{times['num_boundaries']} boundaries).",
        "",
        "Sounds of these kinds, though not these, are among what tuning learns silence from.",
        "",
        "| sound | words, original | of them in loops | words, ours | of them in loops |",
        "|---|---|---|---|---|",
        *(_loops(f"a minute of {name}", found) for name, found in run["sounds"].items()),
        _loops("ten minutes of speech", long),
        "",
        f"On the ten minutes the word error rate is {long['original']['wer']} % for the original and "
        f"{long['ours']['wer']} % for ours.",
        "",
    ]


def _loops(name: str, found: dict[str, Any]) -> str:
    counts = [found[model][count] for model in ("original", "ours") for count in ("words", "looped_words")]
    return f"| {name} | {' | '.join(map(str, counts))} |"


if __name__ == "__main__":
    PAGE.write_text(page())

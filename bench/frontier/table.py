"""The frontier's committed runs as one table: a row a model and form, three columns a speaker."""

from typing import Any

from bench.frontier.judge import above, original_of
from bench.markdown import markdown_table
from bench.runner import Row, results_of
from bench.word_errors import as_text

ABSENT = "-"


def table() -> str:
    """Return the rows of all runs, the smallest files first."""
    runs = {run["how"]["speaker"]: run["rows"] for run in results_of("frontier")}
    columns = ["system", "weights", "MB"]
    for speaker in runs:
        columns += [f"`{speaker}`", "to base", "others"]
    bytes_of: dict[tuple[str, str], int] = {}
    for rows in runs.values():
        for row in rows:
            bytes_of.setdefault((row["system"], row["precision"]), row["bytes"])
    lines = []
    for name, num_bytes in sorted(bytes_of.items(), key=lambda pair: pair[1]):
        cells = [*name, f"{num_bytes / 1e6:.1f}"]
        for rows in runs.values():
            cells += _rates(next((row for row in rows if (row["system"], row["precision"]) == name), None), rows)
        lines.append(cells)
    return markdown_table(columns, lines)


def _rates(row: Row | None, rows: list[dict[str, Any]]) -> list[str]:
    if row is None:
        return [ABSENT] * 3
    original = original_of(rows)
    apart = ABSENT if row is original else as_text(above(row, original, "speaker"))
    return [as_text(row["speaker_wer"]), apart, as_text(row["others_wer"])]

"""The committed run of the runtimes as one table: a row a form, the stock Whisper and ours side by side."""

from bench.markdown import NO_RUN, markdown_table
from bench.runner import Row, results_of
from bench.word_errors import as_text


def table() -> str:
    """Return the table, or a sentence where there is no run."""
    lines = []
    for run in results_of("runtimes"):
        rows = {(row["form"], row["model"]): row for row in run["rows"]}
        for form in dict.fromkeys(row["form"] for row in run["rows"]):
            pair = [rows[form, model] for model in ("stock", "ours")]
            lines.append([f"`{form}`", *_cells(pair)])
    columns = ["form", "MB", "seconds a second of audio", "peak memory, MB", "word error rate, stock", "ours"]
    return markdown_table(columns, lines) if lines else NO_RUN


def _cells(pair: list[Row]) -> list[str]:
    """Return what both models have in each column, stock first."""
    return [
        " / ".join(f"{row['bytes'] / 1e6:.0f}" for row in pair),
        " / ".join(f"{row['compute_s_per_audio_s']:.2f}" for row in pair),
        " / ".join(str(row["peak_memory_mb"]) for row in pair),
        *(as_text(row["wer"]) for row in pair),
    ]

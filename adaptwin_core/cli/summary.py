"""The lines that a command prints about the speech and about the finished model."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from adaptwin_core.cli.safe_text import printable

if TYPE_CHECKING:
    from adaptwin_core.domain.dataset_report import DatasetReport

MAX_SHOWN = 50  # rejects, and notes; report.json has them all


def speech_summary(what: str, report: "DatasetReport") -> list[str]:
    """Return what was found in one set of speech: clips, splits, rejects, warnings and notes.

    Args:
        what: what the speech is called, such as speaker speech.
    """
    read = f"read {what}: {count_of(report.recordings, 'file')}, {report.seconds / 60:.1f} minutes"
    labelled = f"{report.labelled} with a transcript, {report.clips - report.labelled} without"
    lines = [read, f"{what}: {count_of(report.clips, 'clip')}, {labelled}"]
    for name, part in report.parts.items():
        nobody = f" ({part.silent} empty: nobody speaks)" if part.silent else ""
        labelled = f"{part.labelled} with a transcript{nobody}, {part.clips - part.labelled} without"
        lines.append(f"  {name}: {count_of(part.clips, 'clip')}, {labelled}")
    if report.rejects:
        codes = Counter(reject.code for reject in report.rejects)
        why = ", ".join(f"{count} {code}" for code, count in codes.most_common())
        lines.append(f"{what}: {count_of(len(report.rejects), 'file')} not used ({why})")
        lines += _first([f"  {reject.name}: {reject.reason} ({reject.code})" for reject in report.rejects])
    for warning in report.warnings:
        examples = ", ".join(warning.examples)
        more = ", …" if warning.count > len(warning.examples) else ""
        lines.append(f"{what}: warning, {warning.count} × {warning.code}: {warning.message} ({examples}{more})")
    if report.notes:
        lines.append(f"{what}: how files were understood")
        lines += _first([f"  {note.name}: {note.message} ({note.code})" for note in report.notes])
    return [printable(line) for line in lines]


def model_summary(report: Mapping[str, Any]) -> list[str]:
    """Return the verdict, the error rates and the size of a finished model."""
    from adaptwin_core.ml.evaluation.report_lines import lines

    plan = report["plan"]
    of_encoder, of_all = (f"{100 * plan[name]:.1f} %" for name in ("encoder_cut", "total_cut"))
    cut = f"{of_encoder} of the encoder and {of_all} of the whole model are removed."
    return [printable(line) for line in (*lines(report), cut)]


def count_of(number: int, what: str) -> str:
    """Return a count with its noun, such as 1 clip or 1,200 clips."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _first(lines: Sequence[str]) -> list[str]:
    left = len(lines) - MAX_SHOWN
    return [*lines[:MAX_SHOWN], *([f"  and {left} more: a finished model's report.json lists all"] if left > 0 else [])]

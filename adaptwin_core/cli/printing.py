"""What a command prints on standard output: JSON for programs, lines and columns for people."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import typer

from adaptwin_core.cli.safe_text import printable


def print_json(value: Any) -> None:
    """Print a value of JSON. Answers of the service may stand in it."""
    from pydantic_core import to_jsonable_python

    typer.echo(json.dumps(to_jsonable_python(value), ensure_ascii=False, indent=2))


def print_result(value: Any, lines: Iterable[str], *, as_json: bool) -> None:
    """Print what a command found: as JSON, or as lines for people. Lines of a generator are made only if printed."""
    if as_json:
        print_json(value)
    else:
        print_lines(lines)


def print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(printable(line))


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines, each column as wide as its widest cell."""
    shown = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in shown]


def at(moment: datetime) -> str:
    """Return a moment as the clock of this machine shows it."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"


def warn(line: str) -> None:
    """Print a line that is not the result: it must not be mixed with it."""
    typer.echo(printable(line), err=True)

"""What a page names is there: files of the code, modules that are run, targets of make, commands and their options."""

import re
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from adaptwin_core.cli.main import commands
from tests.arch.pages import ROOT, code, name_of, pages

PLACES = (ROOT, ROOT / "adaptwin_core")  # a page may leave the package's name out
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def missing(piece: str) -> list[str]:
    """Return what a piece of code names and what is not there."""
    piece = piece.split(" #", maxsplit=1)[0]
    files = re.findall(r"(?<![\w./])(?:[\w-]+/)+[\w-]+\.py\b", piece)
    modules = re.findall(r"python -m ((?:bench|tests|adaptwin_core)[\w.]*)", piece)
    targets = re.findall(r"^make ([a-z][a-z-]*)", piece)
    return [
        *(name for name in files if not any((place / name).exists() for place in PLACES)),
        *(name for name in modules if not _is_module(name)),
        *(name for name in targets if name not in TARGETS),
        *_missing_of_command(piece),
    ]


def _is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__main__.py").exists()


def _missing_of_command(piece: str) -> list[str]:
    """Return the subcommand or the options of an `adaptwin` command that are unknown."""
    found = re.match(r"(?:\S*/)?adaptwin ([a-z].*)", piece.strip())
    if found is None:
        return []
    words = found[1].split()
    command: Any = get_command(commands)
    while hasattr(command, "commands") and words:
        name = words.pop(0)
        inner = command.commands.get(name)
        if inner is None:
            return [name]
        command = inner
    known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    return [word for word in words if word.startswith("--") and word not in known]


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_what_a_page_names_is_there(page: Path):
    assert [name for piece in code(page.read_text()) for name in missing(piece)] == []


@pytest.mark.parametrize(
    ("piece", "found"),
    [
        ("ml/no_such_file.py", ["ml/no_such_file.py"]),
        ("domain/spec.py", []),
        ("python -m bench.no_such_bench --clips 3", ["bench.no_such_bench"]),
        ("python -m bench.demo", []),
        ("make no-such-target", ["no-such-target"]),
        (".venv/bin/adaptwin no-such-command", ["no-such-command"]),
        (".venv/bin/adaptwin compress --no-such-option 1 --model m", ["--no-such-option"]),
        ("adaptwin keys create laptop --tenant me  # --not-an-option", []),
    ],
)
def test_what_is_not_there_is_found(piece, found):
    assert missing(piece) == found

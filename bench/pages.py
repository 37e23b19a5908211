"""Writes the tables of the committed results into the pages of `docs`: `python -m bench.pages`."""

from collections.abc import Callable
from pathlib import Path

from bench import sizes
from bench.frontier import table as frontier
from bench.markdown import filled
from bench.runtimes import table as runtimes

DOCS = Path("docs")
TABLES: dict[str, Callable[[], str]] = {
    "frontier": frontier.table,
    "runtimes": runtimes.table,
    "sizes": sizes.table,
}


def main() -> None:
    for name, table in TABLES.items():
        page = DOCS / f"{name}.md"
        page.write_text(filled(page.read_text(), name, table()))


if __name__ == "__main__":
    main()

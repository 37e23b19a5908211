"""Writes the tables of the committed results into the README and the pages of `docs`: `python -m bench.pages`."""

from collections.abc import Callable
from pathlib import Path

from bench import family, headline, sizes, windows
from bench.frontier import table as frontier
from bench.gpu import table as gpu
from bench.latency import table as latency
from bench.markdown import filled
from bench.runtimes import table as runtimes

DOCS = Path("docs")
TABLES: dict[str, tuple[Path, Callable[[], str]]] = {
    "headline": (Path("README.md"), headline.table),
    "speed": (Path("README.md"), headline.speed),
    "frontier": (DOCS / "frontier.md", frontier.table),
    "families": (DOCS / "families.md", family.table),
    "gpu": (DOCS / "gpu.md", gpu.table),
    "runtimes": (DOCS / "runtimes.md", runtimes.table),
    "latency": (DOCS / "latency.md", latency.table),
    "windows": (DOCS / "windows.md", windows.table),
    "sizes": (DOCS / "sizes.md", sizes.table),
    "vocabularies": (DOCS / "sizes.md", sizes.vocabulary_table),
}


def main() -> None:
    headline.draw()
    latency.draw()
    for name, (page, table) in TABLES.items():
        page.write_text(filled(page.read_text(), name, table()))


if __name__ == "__main__":
    main()

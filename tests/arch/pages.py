"""The Markdown pages of this repository, and what stands in them."""

from collections.abc import Iterator
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
NOT_OURS = {"var", "demo"}  # what `adaptwin up` and `make demo` write
READER = MarkdownIt("commonmark").enable("table")


def pages() -> list[Path]:
    folders = [path for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")]
    deep = (page for folder in folders if folder.name not in NOT_OURS for page in folder.rglob("*.md"))
    return sorted([*ROOT.glob("*.md"), *deep])


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def tokens(text: str) -> Iterator[Token]:
    """Yield the blocks of a page, and what each holds."""
    for token in READER.parse(text):
        yield token
        yield from token.children or []


def code(text: str) -> Iterator[str]:
    """Yield every piece of code: a line of a block, or a piece within a sentence."""
    for token in tokens(text):
        if token.type == "fence":
            yield from token.content.replace("\\\n", " ").splitlines()
        elif token.type == "code_inline":
            yield token.content

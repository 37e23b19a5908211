"""Every link of a Markdown page to a file or heading of this repository leads somewhere."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.arch.pages import ROOT, name_of, pages, tokens


def _links(text: str) -> Iterator[str]:
    for token in tokens(text):
        for name in ("href", "src"):
            if target := token.attrGet(name):
                yield str(target)


def _anchors(text: str) -> set[str]:
    """Return the fragments that GitHub gives the headings of a page."""
    titles = [inner.content for token, inner in pairwise(tokens(text)) if token.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def dead_links(page: Path, text: str) -> list[str]:
    """Return the relative links in `text`, as if it stood in `page`, that lead nowhere."""
    dead = []
    for link in _links(text):
        url = urlsplit(link)
        if url.scheme or url.netloc:
            continue
        target = page.parent / unquote(url.path)
        if url.path and not target.exists():
            dead.append(link)
        elif url.fragment and (not url.path or target.suffix == ".md"):
            there = target.read_text() if url.path else text
            if url.fragment not in _anchors(there):
                dead.append(link)
    return dead


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_every_link_leads_somewhere(page):
    assert dead_links(page, page.read_text()) == []


def test_a_link_that_leads_nowhere_is_found():
    text = (
        "# One way\n[a](no-such-file.md) [b](README.md) [c](#one-way) [d](#another) ![e](gone.png) [f](https://e.org/)"
    )
    assert dead_links(ROOT / "page.md", text) == ["no-such-file.md", "#another", "gone.png"]

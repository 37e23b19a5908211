"""Pages tell what the committed results tell, and what people wrote around the tables stays."""

import pytest

from bench.markdown import filled, markdown_table
from bench.pages import TABLES


@pytest.mark.parametrize("name", TABLES)
def test_the_page_holds_the_table_of_the_committed_results(name):
    path, table = TABLES[name]
    page = path.read_text()
    assert filled(page, name, table()) == page, "python -m bench.pages writes it anew"


def test_what_stands_around_a_table_stays():
    page = "# Sizes\n\n<!-- table: sizes -->\nold\n<!-- end of table: sizes -->\n\nWhat it means.\n"
    new = filled(page, "sizes", markdown_table(["model", "MB"], [["tiny", "39"]]))
    assert new == page.replace("old", "| model | MB |\n| --- | --- |\n| tiny | 39 |")


@pytest.mark.parametrize("page", ["# Sizes\n", "<!-- table: sizes -->\n", "<!-- table: other -->\n"])
def test_a_page_without_both_markers_is_refused(page):
    with pytest.raises(ValueError, match="once each"):
        filled(page, "sizes", "")

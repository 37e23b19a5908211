"""Tables of results inside pages that people write: a program writes the table, a person what it means."""

from collections.abc import Iterable, Sequence

NO_RUN = "No run of the current code is committed."  # what a page says in place of a table


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; the cells are text already."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def filled(page: str, name: str, table: str) -> str:
    """Return the text of a page with `table` between the two markers of that name.

    Raises:
        ValueError: the page does not hold both markers, or holds them twice.
    """
    begin, end = f"<!-- table: {name} -->", f"<!-- end of table: {name} -->"
    if page.count(begin) != 1 or page.count(end) != 1:
        raise ValueError(f"the page must hold {begin!r} and {end!r} once each")
    before, _, rest = page.partition(begin)
    return f"{before}{begin}\n{table}\n{end}{rest.partition(end)[2]}"

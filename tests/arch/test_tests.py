"""What holds of the tests themselves: each file stands alone, and what several share lies in a module of its own."""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


def imported(source: str) -> set[str]:
    """Return the full names of what a file imports."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def modules_of_tests(names: set[str]) -> set[str]:
    return {name for name in names if name.startswith("tests.") and any(p.startswith("test_") for p in name.split("."))}


@pytest.mark.parametrize("path", sorted(TESTS.rglob("*.py")), ids=lambda path: str(path.relative_to(TESTS)))
def test_no_test_imports_a_test(path: Path) -> None:
    assert not modules_of_tests(imported(path.read_text()))


@pytest.mark.parametrize(
    "line", ["from tests.unit.test_a import b", "from tests.unit import test_a", "import tests.unit.test_a"]
)
def test_an_imported_test_is_noticed(line: str) -> None:
    assert modules_of_tests(imported(line))

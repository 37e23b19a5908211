"""Nothing in the product reads bytes that can run code, and no file outgrows its room."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = [path for room in ("api", "worker", "adaptwin_core", "migrations") for path in (ROOT / room).rglob("*.py")]
UNSAFE_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib"}
UNSAFE_CALLS = {"torch.load", "yaml.load", "np.load", "numpy.load", "eval", "exec"}
UNSAFE_ARGUMENTS = {"allow_pickle", "trust_remote_code"}
MAX_LINES = 400


def unsafe(tree: ast.AST) -> Iterator[str]:
    """Yield what is unsafe in a module: imports, calls and arguments, wherever they stand."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name.split(".")[0] in UNSAFE_MODULES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in UNSAFE_MODULES:
            yield node.module or ""
        elif isinstance(node, ast.Call):
            if ast.unparse(node.func) in UNSAFE_CALLS:
                yield ast.unparse(node.func)
            yield from (keyword.arg for keyword in node.keywords if keyword.arg in UNSAFE_ARGUMENTS)


@pytest.mark.parametrize("path", PRODUCT, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_loads_nothing_unsafe_and_stays_within_its_size(path: Path) -> None:
    source = path.read_text()
    assert list(unsafe(ast.parse(source))) == []
    assert len(source.splitlines()) <= MAX_LINES


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from pickle import loads",
        "import torch\ntorch.load('x')",
        "np.load(f, allow_pickle=True)",
        "AutoModel.from_pretrained(p, trust_remote_code=True)",
        "eval('1')",
    ],
)
def test_the_check_sees_what_it_looks_for(line: str) -> None:
    assert list(unsafe(ast.parse(line)))

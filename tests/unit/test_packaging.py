"""What `make` installs is pinned by hash, holds no torch, and names no place it comes from.

Each room of the code imports only what its extra brings.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text()
PINS = re.findall(r"^([a-z0-9-]+)==(\S+)", LOCK, re.MULTILINE)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
OWN = {"adaptwin_core", "api", "worker", "migrations"}
# Packages that are part of another, which the project asks for
COME_WITH = {"starlette": "fastapi", "pydantic-core": "pydantic", "kombu": "celery", "botocore": "boto3"}
ROOMS = {
    "adaptwin_core/domain": (),
    "adaptwin_core/rest": (),
    "adaptwin_core/client": (),
    "adaptwin_core/speech": ("speech",),
    **{
        f"adaptwin_core/ml/{room}": ("models",)
        for room in ("base", "model", "compression", "training", "evaluation", "stages")
    },
    "adaptwin_core/ml/exports": ("exports",),
    "adaptwin_core/store": ("s3",),
    "adaptwin_core/service": ("service",),
    "adaptwin_core/local": ("service",),
    "adaptwin_core/cli": ("service", "models"),
    "api": ("service",),
    "migrations": ("service",),
    "worker": ("service", "models"),
}


def _name(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9-]", requirement, maxsplit=1)[0]


def brought(*extras: str) -> set[str]:
    """Return the names of the packages that the project asks for with these extras, and with those that they name."""
    names = {_name(line) for line in PROJECT["dependencies"]}
    for line in (line for extra in extras for line in EXTRAS[extra]):
        inner = re.fullmatch(r"adaptwin\[([\w,]+)\]", line)
        names |= brought(*inner[1].split(",")) if inner else {_name(line)}
    return names


def imported(source: str) -> Iterator[str]:
    """Yield the top names of the packages that a module imports, wherever it does."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def not_brought(folder: str, extras: tuple[str, ...]) -> set[str]:
    """Return the packages that a folder's modules import and that these extras do not bring."""
    of_module = packages_distributions()
    known = brought(*extras)
    names = {name for path in (ROOT / folder).rglob("*.py") for name in imported(path.read_text())}
    found = {of_module[name][0].lower().replace("_", "-") for name in names - OWN - sys.stdlib_module_names}
    return {name for name in found if COME_WITH.get(name, name) not in known}


def test_every_pin_has_hashes_and_no_address() -> None:
    assert len(PINS) > 100
    for block in re.split(r"\n(?=[a-z0-9])", LOCK.split("make lock\n")[1]):
        assert "--hash=sha256:" in block, block
    assert "://" not in LOCK
    assert "index" not in LOCK.lower().replace("index-url", "index")


def test_torch_and_its_cuda_parts_stand_apart() -> None:
    names = {name for name, _ in PINS}
    assert not {name for name in names if name.startswith(("nvidia", "cuda", "triton", "torch"))}
    assert re.search(r"^torch==\S+$", (ROOT / "requirements-torch.txt").read_text(), re.MULTILINE)


def test_everything_asked_for_is_locked() -> None:
    asked = re.findall(r"^([a-z0-9-]+)", (ROOT / "requirements.in").read_text(), re.MULTILINE)
    assert not set(asked) - {name for name, _ in PINS}


def test_everything_the_extras_bring_is_locked() -> None:
    assert brought(*EXTRAS) - {"torch"} <= {name for name, _ in PINS}


def test_each_range_stands_once() -> None:
    lines = [line for lines in (PROJECT["dependencies"], *EXTRAS.values()) for line in lines]
    names = [_name(line) for line in lines if not line.startswith("adaptwin[")]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(("folder", "extras"), ROOMS.items())
def test_a_room_imports_only_what_its_extra_brings(folder: str, extras: tuple[str, ...]) -> None:
    assert not_brought(folder, extras) == set()


def test_every_module_lies_in_a_room() -> None:
    modules = (path for top in OWN for path in (ROOT / top).rglob("*.py") if path.name != "__init__.py")
    rooms = [ROOT / folder for folder in ROOMS]
    assert not [path for path in modules if not any(path.is_relative_to(room) for room in rooms)]


def test_an_import_that_no_extra_brings_is_found() -> None:
    assert {"torch", "transformers"} <= not_brought("adaptwin_core/ml/model", ("speech",))

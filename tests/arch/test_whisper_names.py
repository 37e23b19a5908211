"""One file of the maths knows what transformers calls the modules of a Whisper: `ml/model/adapter.py`.

The model class that travels with published models names them too, and so do the rooms that read and write model files.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ML = Path(__file__).parents[2] / "adaptwin_core" / "ml"
MAY_NAME_MODULES = {"model/adapter.py", "model/modeling_adaptwin.py"}
ROOMS_OF_FILE_FORMATS = {"base", "exports"}
NAMES = {
    *("q_proj", "k_proj", "v_proj", "out_proj", "self_attn", "encoder_attn"),
    *("self_attn_layer_norm", "encoder_attn_layer_norm", "final_layer_norm", "layer_norm"),
    *("conv1", "conv2", "embed_tokens", "embed_positions", "proj_out", "layers"),
}
MATRICES = {"fc1", "fc2"}  # also parts of a plan, which is told by the name of the variable
NAMED = re.compile(rf"(^|\.)({'|'.join(NAMES)})(\.|$)|({'|'.join(MATRICES)})\.|^model\.(encoder|decoder)\.")


def is_checked(inside: Path) -> bool:
    return inside.parts[0] not in ROOMS_OF_FILE_FORMATS and inside.as_posix() not in MAY_NAME_MODULES


FILES = [path for path in sorted(ML.rglob("*.py")) if is_checked(path.relative_to(ML))]


def named(tree: ast.AST) -> Iterator[str]:
    """Yield each place where a module names a part of transformers' Whisper; docstrings may."""
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            of_plan = isinstance(node.value, ast.Name) and node.value.id == "plan"
            of_model = isinstance(node.value, ast.Attribute) and node.value.attr == "model"
            if (
                node.attr in NAMES
                or (node.attr in MATRICES and not of_plan)
                or (of_model and node.attr in {"model", "encoder", "decoder"})
            ):
                yield ast.unparse(node)
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
        if is_text and NAMED.search(node.value):
            yield node.value


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ML)))
def test_only_the_adapter_knows_whispers_attribute_names(path: Path) -> None:
    assert list(named(ast.parse(path.read_text()))) == []


@pytest.mark.parametrize(
    "line",
    [
        "attention.q_proj.weight",
        "model.model.encoder(x)",
        "student.proj_out(x)",
        "layer.fc1",
        "getattr(layer, 'encoder_attn')",
        "state['fc2.weight']",
        "f'model.encoder.{index}'",
        "name = '.layers.'",
    ],
)
def test_the_check_sees_what_it_looks_for(line: str) -> None:
    assert list(named(ast.parse(line)))


@pytest.mark.parametrize("line", ["plan.fc1", "errors['fc1']", "weights.encoder", "'''q_proj'''", "half = 'encoder'"])
def test_the_check_lets_plans_and_prose_pass(line: str) -> None:
    assert list(named(ast.parse(line))) == []

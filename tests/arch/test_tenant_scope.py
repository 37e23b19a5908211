"""Nobody reads across tenants by accident: queries take a scope, and doors hand theirs to every service call."""

import ast
from dataclasses import fields
from pathlib import Path

import pytest

from adaptwin_core.service.bootstrap import Service

ROOT = Path(__file__).parents[2]
QUERIES = sorted((ROOT / "adaptwin_core" / "store" / "queries").glob("*.py"))
CODE = sorted(path for room in ("adaptwin_core", "api", "worker") for path in (ROOT / room).rglob("*.py"))
NO_STATEMENTS = {"func"}  # what code outside the store may take of sqlalchemy: the database's own time
DOOR = sorted((ROOT / "api").rglob("*.py"))

TENANT_TABLES = {
    "ApiKey",
    "Dataset",
    "Upload",
    "Job",
    "Task",
    "Result",
    "Model",
    "Event",
    "Tenant",
    "Transcription",
    "Webhook",
    "WebhookDelivery",
}
# Each with the reason why it may see every tenant.
UNSCOPED = {
    ("auth", "key_by_id"): "finds out whose key it is",
    ("tenants", "scope_by_name"): "the operator's own tool names a tenant",
    ("base_models", "is_in_use"): "base models belong to nobody, and only a yes or no comes out",
    ("jobs", "locked"): "a worker's task names its job",
    ("jobs", "standing_still"): "the sweeper serves all",
    ("datasets", "locked"): "a worker's task names its dataset",
    ("datasets", "without_task"): "the sweeper serves all",
    ("tasks", "num_waiting"): "the sweeper serves all, and only a number comes out",
    ("tasks", "announce_again"): "the sweeper serves all",
    ("tasks", "held"): "the sweeper serves all",
    ("transcriptions", "locked"): "a worker's task names its transcription",
    ("transcriptions", "forget_left"): "the sweeper serves all",
    ("uploads", "left_unjoined"): "the sweeper serves all",
    ("webhooks", "locked"): "a worker's delivery names its webhook",
}
UNSCOPED_MODULES = {
    "leases": "a worker holds a task by its id and attempt",
    "erasure": "the sweeper serves all",
    "courier": "a worker holds a delivery by its id and try",
    "queue": "tasks of all tenants share the workers, and only places and seconds come out",
    "work_times": "only seconds come out",
}
DOOR_FREE = {"authenticate", "list_base_models"}


def _functions(path: Path) -> list[ast.FunctionDef]:
    return [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)]


def _names(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def _takes_scope(function: ast.FunctionDef) -> bool:
    return "scope" in {arg.arg for arg in [*function.args.args, *function.args.kwonlyargs]}


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_public_queries_take_a_scope(path: Path):
    for function in _functions(path):
        is_public = not function.name.startswith("_")
        is_free = path.stem in UNSCOPED_MODULES or (path.stem, function.name) in UNSCOPED
        if is_public and not is_free and _names(function) & TENANT_TABLES:
            assert _takes_scope(function), f"{path.stem}.{function.name} reads tenants' rows without a scope"


def test_the_check_sees_what_it_must():
    found = {(path.stem, function.name) for path in QUERIES for function in _functions(path)}
    assert found >= set(UNSCOPED), "an exception is listed that no longer exists"
    assert {path.stem for path in QUERIES} >= set(UNSCOPED_MODULES)
    reading = [f for path in QUERIES for f in _functions(path) if _names(f) & TENANT_TABLES and _takes_scope(f)]
    assert len(reading) >= 5


def _service_names(tree: ast.Module) -> set[str]:
    """Return the names under which a file knows service modules."""
    return {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "adaptwin_core.service"
        for alias in node.names
    }


def _is_service(node: ast.AST, services: set[str]) -> bool:
    """Tell a function of a service module (`jobs.get`), or of a part of the service (`service.keys.create`)."""
    if not isinstance(node, ast.Attribute):
        return False
    return ast.unparse(node.value) in services | {f"service.{part.name}" for part in fields(Service)}


def test_the_door_hands_its_scope_to_every_service_call():
    num_calls = 0
    for path in DOOR:
        tree = ast.parse(path.read_text())
        services = _service_names(tree)
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            direct = _is_service(call.func, services) and call.args and ast.unparse(call.args[0]) == "session"
            in_thread = ast.unparse(call.func) == "in_transaction" and _is_service(call.args[1], services)
            if not direct and not in_thread:
                continue
            target, rest = (call.func, call.args[1:]) if direct else (call.args[1], call.args[2:])
            assert isinstance(target, ast.Attribute)
            if target.attr not in DOOR_FREE:
                num_calls += 1
                assert rest, ast.unparse(call)
                assert ast.unparse(rest[0]) == "scope", f"{path.name}: {ast.unparse(call)}"
    assert num_calls >= 20


def test_the_door_asks_no_questions_of_its_own():
    for path in DOOR:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                assert not node.module.startswith("adaptwin_core.store.queries"), path
                assert node.module != "sqlalchemy", path


def test_statements_stand_in_the_store():
    num_taken = 0
    for path in CODE:
        if path.is_relative_to(ROOT / "adaptwin_core" / "store"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module == "sqlalchemy":
                num_taken += 1
                names = {alias.name for alias in node.names}
                assert names <= NO_STATEMENTS | {"URL", "make_url"}, f"{path}: move the statement to store/queries"
    assert num_taken >= 5

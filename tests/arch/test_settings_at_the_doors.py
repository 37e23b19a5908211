"""Settings are read from the environment where a process starts, and nowhere else."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOORS = {"api/main.py", "worker/app.py", "migrations/env.py"} | {
    f"adaptwin_core/cli/{name}.py" for name in ("main", "service", "up")
}
ENVIRONMENT = {  # each with the reason why it reads a variable itself
    "adaptwin_core/store/killpoints.py": "a test's order to die, which is no setting",
    "adaptwin_core/local/environment.py": "writes and reads what `adaptwin up` shares",
    "adaptwin_core/local/servers.py": "servers named there are not started",
    "adaptwin_core/local/supervisor.py": "hands its own environment on",
    "adaptwin_core/cli/library_logs.py": "tells libraries to be quiet",
    "adaptwin_core/cli/service_address.py": "finds a service to talk to, which need not be on this machine",
    "adaptwin_core/cli/up.py": "sets the variables of the processes that it starts",
}


def _service_code() -> list[Path]:
    rooms = ("api", "worker", "migrations", "adaptwin_core/service", "adaptwin_core/store", "adaptwin_core/local")
    return sorted(path for room in (*rooms, "adaptwin_core/cli") for path in (ROOT / room).rglob("*.py"))


def _calls(path: Path) -> set[str]:
    return {ast.unparse(node.func) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)}


def _reads_environment(path: Path) -> bool:
    return any(ast.unparse(node) in {"os.environ", "os.getenv"} for node in ast.walk(ast.parse(path.read_text())))


def test_settings_are_read_at_the_doors_only():
    readers = {str(path.relative_to(ROOT)) for path in _service_code() if "Settings" in _calls(path)}
    assert readers == DOORS


def test_nobody_reads_the_environment_past_the_settings():
    readers = {str(path.relative_to(ROOT)) for path in _service_code() if _reads_environment(path)}
    assert readers <= set(ENVIRONMENT)

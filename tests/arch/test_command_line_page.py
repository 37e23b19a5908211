"""docs/command-line.md is every command. After a meant change: `python -m tests.arch.test_command_line_page`."""

import subprocess
import sys
from pathlib import Path

from adaptwin_core.cli.exit_codes import MEANINGS

PAGE = Path(__file__).parents[2] / "docs" / "command-line.md"


def current() -> str:
    documented = ("adaptwin_core.cli.main", "utils", "docs", "--name", "adaptwin")
    made = subprocess.run(
        [sys.executable, "-m", "typer", "--app", "commands", *documented], capture_output=True, text=True, check=True
    )
    return made.stdout.strip() + "\n" + exit_statuses()


def exit_statuses() -> str:
    """Return the section on exit statuses."""
    rows = "".join(f"| {int(code)} | {meaning} |\n" for code, meaning in MEANINGS.items())
    return f"\n## Exit status\n\nEvery command ends with one of these.\n\n| status | meaning |\n|---|---|\n{rows}"


def test_the_page_is_current():
    assert PAGE.read_text() == current(), "commands changed: run `python -m tests.arch.test_command_line_page`"


if __name__ == "__main__":
    PAGE.write_text(current())

"""docs/command-line.md is every command. After a meant change: `python -m tests.arch.test_command_line_page`."""

import subprocess
import sys
from pathlib import Path

from adaptwin_core.cli.exit_codes import MEANINGS

OF_ALL = """
## The service

`upload`, `datasets`, `jobs`, `models` and `doctor` talk to a service.
They look for its address and its key in this order:

1. the options `--url` and `--key`, or the folder that `--data-dir` names
2. the variables `ADAPTWIN_URL` and `ADAPTWIN_KEY`
3. the folder `var`, where `adaptwin up` keeps both in the files `url` and `api_key`

The key of a folder is sent to the address in that folder only.

## Output

The result is printed on standard output; progress, warnings and errors on standard error.
With `--json`, the result is one JSON document: an answer of the [REST interface](api.md), or a list of them.
What takes longer than two seconds shows one bar with the time left. Without a terminal, it is a line every 30 s.

## Exit status

Every command ends with one of these.

"""
PAGE = Path(__file__).parents[2] / "docs" / "command-line.md"


def current() -> str:
    documented = ("adaptwin_core.cli.main", "utils", "docs", "--name", "adaptwin")
    made = subprocess.run(
        [sys.executable, "-m", "typer", "--app", "commands", *documented], capture_output=True, text=True, check=True
    )
    return made.stdout.strip() + "\n" + exit_statuses()


def exit_statuses() -> str:
    """Return the section on exit statuses, after what else holds for all commands."""
    rows = "".join(f"| {int(code)} | {meaning} |\n" for code, meaning in MEANINGS.items())
    return f"{OF_ALL}| status | meaning |\n|---|---|\n{rows}"


def test_the_page_is_current():
    assert PAGE.read_text() == current(), "commands changed: run `python -m tests.arch.test_command_line_page`"


if __name__ == "__main__":
    PAGE.write_text(current())

"""What all benches share: the command line, facts about the machine, and rows that are written as they are made."""

import argparse
import json
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from adaptwin_core.domain.digest import digest_json
from adaptwin_core.domain.result_name import CODE_VERSION
from adaptwin_core.ml.model.device import device

RESULTS = Path(__file__).parent / "results"
LIBRARIES = ("torch", "transformers", "peft")

Row = dict[str, Any]


def command_line(description: str | None, name: str) -> argparse.ArgumentParser:
    """Return a parser with the options of every bench; its results go to `bench/results/NAME.json` by default."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=Path("var/models"), help="where base models are kept")
    parser.add_argument("--out", type=Path, default=RESULTS / f"{name}.json", help="where the results go")
    return parser


def parsed(parser: argparse.ArgumentParser, quick: Mapping[str, Any]) -> argparse.Namespace:
    """Parse the command line. With `--quick`, the values in `quick` replace the defaults of the options."""
    parser.add_argument("--quick", action="store_true", help="a short run: it shows that all works, not how well")
    if parser.parse_known_args()[0].quick:
        parser.set_defaults(**quick)
    return parser.parse_args()


def machine() -> Row:
    """Return what the figures of a run depend on besides its options."""
    where = device()
    return {
        "code_version": CODE_VERSION,
        "threads": torch.get_num_threads(),
        "machine": platform.machine(),
        "device": torch.cuda.get_device_name(where) if where.type == "cuda" else where.type,
        "libraries": {name: version(name) for name in LIBRARIES},
    }


def results_of(name: str) -> list[Row]:
    """Return the committed runs of a bench, each with `how` and `rows`, in the order of their files' names."""
    return [json.loads(path.read_text()) for path in sorted(RESULTS.glob(f"{name}*.json"))]


class Run:
    """The rows of one run of a bench. A run that was stopped goes on with the rows that it had written."""

    def __init__(self, out: Path, how: Row) -> None:
        """Read the rows of an earlier run.

        Args:
            how: the options, inputs and machine of this run, as JSON values.

        Raises:
            SystemExit: the earlier run was made in another way, so its rows do not belong to this one.
        """
        self.out, self.how, self.rows = out, how | {"digest": digest_json(how)}, list[Row]()
        self.console = Console(soft_wrap=True, highlight=False)
        if out.exists():
            earlier = json.loads(out.read_text())
            if earlier["how"].get("digest") != self.how["digest"]:
                raise SystemExit(f"{out} holds rows that were made in another way: give another --out, or remove it")
            self.rows = earlier["rows"]

    def has(self, **fields: Any) -> bool:
        """Return whether a row with these values is there."""
        return any(fields.items() <= row.items() for row in self.rows)

    def add(self, row: Row) -> None:
        """Write a row to the file and show it."""
        self.rows.append(row)
        self.out.parent.mkdir(parents=True, exist_ok=True)
        how = self.how | {"date": datetime.now(UTC).isoformat(timespec="seconds")}
        self.out.write_text(json.dumps({"how": how, "rows": self.rows}, indent=2) + "\n")
        hidden = [name for name, value in row.items() if isinstance(value, dict) or name.endswith("_clips")]
        self.console.print("  ".join(f"{name} {value}" for name, value in row.items() if name not in hidden))

"""Rows of a long bench, written as each is made: a run that was stopped goes on where it was."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adaptwin_core.domain.digest import digest_json

Rows = list[dict[str, Any]]


def kept(out: Path, how: dict[str, Any]) -> Rows:
    """Return the rows of an earlier run that was made in the very same way."""
    if not out.exists():
        return []
    earlier = json.loads(out.read_text())
    if earlier["how"].get("digest") != digest_json(how):
        raise SystemExit(f"{out} holds rows that were made in another way: give another --out, or remove it")
    rows: Rows = earlier["rows"]
    return rows


def keep(out: Path, how: dict[str, Any], rows: Rows) -> None:
    """Write all rows so far, and how they were made."""
    out.parent.mkdir(parents=True, exist_ok=True)
    said = {**how, "digest": digest_json(how), "date": datetime.now(UTC).isoformat(timespec="seconds")}
    out.write_text(json.dumps({"how": said, "rows": rows}, indent=2) + "\n")

"""The free disk where this command would write."""

import shutil
from pathlib import Path
from typing import Final

from adaptwin_core.cli.checkup.finding import Finding, State

LEAST_GB: Final = 3.0  # what `make venv` takes; a job takes some hundred MB


def check_disk(folder: Path) -> Finding:
    """Tell how much is free on the disk of a folder, which need not be there yet."""
    there = next(place for place in (folder.resolve(), *folder.resolve().parents) if place.exists())
    free_gb = shutil.disk_usage(there).free / 1e9
    told = f"{free_gb:.1f} GB free in {there}"
    if free_gb < LEAST_GB:
        return Finding(
            "disk", State.MISSING, told, f"free some disk: what makes models takes {LEAST_GB:g} GB to install"
        )
    return Finding("disk", State.OK, told)

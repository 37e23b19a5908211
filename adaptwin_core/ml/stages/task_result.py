"""What one task leaves: files, and figures small enough for a report or a database row."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class TaskResult:
    """`files`: paths by name; all lie in one folder under their names, and may be fetched when first asked for."""

    files: Mapping[str, Path]
    figures: Mapping[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where all of its files lie; asking for it fetches them."""
        folders = {path.parent for path in self.files.values()}
        if len(folders) != 1:
            raise ValueError(f"files of one result lie in {len(folders)} folders")
        return folders.pop()

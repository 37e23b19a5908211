"""Folders of running tasks. The name `TASK-ATTEMPT-random` tells which of them a killed worker left behind."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adaptwin_core.service.task_owner import Claim
from adaptwin_core.store.database import Database
from adaptwin_core.store.queries import tasks


@contextmanager
def work_folder(root: Path, claim: Claim) -> Iterator[Path]:
    """Make an empty folder under `root` for one attempt at a task, and remove it afterwards."""
    root.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=root, prefix=f"{claim.task_id}-{claim.attempt}-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_abandoned(database: Database, root: Path) -> None:
    """Remove the folders of attempts that no worker holds any more."""
    if not root.is_dir():
        return
    folders = {folder: tuple(folder.name.split("-")[:2]) for folder in root.iterdir()}
    with database.transaction() as session:
        held = {(task_id, str(attempt)) for task_id, attempt in tasks.held(session)}
    for folder, holder in folders.items():
        if holder not in held:
            shutil.rmtree(folder, ignore_errors=True)

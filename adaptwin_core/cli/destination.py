"""A folder that a command fills completely, or leaves as it was."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adaptwin_core.domain.errors import InvalidInput


def require_empty(out: Path) -> None:
    """Raise InvalidInput when `out` is a file, or a folder that holds anything."""
    if out.is_dir():
        if any(out.iterdir()):
            raise InvalidInput(f"{out} is not empty: name another folder")
    elif out.exists() or out.is_symlink():
        raise InvalidInput(f"{out} is not a folder: name another place")


@contextmanager
def whole_or_nothing(out: Path) -> Iterator[Path]:
    """Give a path for a new folder on the same disk as `out`. At the end that folder becomes `out`.

    If anything is raised, nothing is left of it. Missing parents of `out` are made. If `out` is an empty folder, it is
    filled and not replaced, since another disk may be mounted there.

    Raises:
        InvalidInput: `out` is not empty, or cannot be written to.
    """
    require_empty(out)
    target = out.resolve()
    place = target if target.is_dir() else target.parent
    made = [parent for parent in (place, *place.parents) if not parent.exists()]
    try:
        place.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=place))
    except OSError as fault:
        raise InvalidInput(f"{out} cannot be written to ({fault.strerror}): name another folder") from fault
    try:
        yield scratch / "made"
        _move(scratch / "made", target)
        made = []
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        for parent in made:
            parent.rmdir()


def _move(made: Path, target: Path) -> None:
    if not target.is_dir():
        made.rename(target)
        return
    moved: list[Path] = []
    try:
        for path in sorted(made.iterdir()):
            moved.append(path.rename(target / path.name))  # noqa: PERF401  # if a move fails, the earlier ones are undone
    except BaseException:
        for path in moved:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        raise

"""The packages that only some commands need, and what to install when they are missing."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal

from adaptwin_core.cli.exit_codes import CommandFailed, ExitCode

Extra = Literal["service", "models", "exports", "s3"]
OURS: Final = {"adaptwin_core", "api", "worker", "migrations"}


@contextmanager
def needs(extra: Extra) -> Iterator[None]:
    """Import in this context what an extra of the package brings.

    Raises:
        CommandFailed: a package is not installed. The sentence says what to install.
    """
    try:
        yield
    except ModuleNotFoundError as missing:
        name = (missing.name or "").partition(".")[0]
        if name in OURS or not name:
            raise
        raise CommandFailed(
            f'this command needs the package {name}: pip install "adaptwin[{extra}]"', ExitCode.NOT_INSTALLED
        ) from missing

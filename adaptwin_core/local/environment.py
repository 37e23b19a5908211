"""What the processes of one data folder share: where the servers answer and the secret under which keys are stored."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from adaptwin_core.domain.errors import InvalidInput

SECRET_KEY = "ADAPTWIN_SECRET_KEY"  # noqa: S105  # the variable's name
_FILE_NAME = "environment"
_PRIVATE = 0o600


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def secret_key(data_dir: Path) -> str:
    """Return the secret key: the environment's, or this folder's own, made on the first call."""
    path = data_dir / "secret_key"
    if SECRET_KEY in os.environ:
        return os.environ[SECRET_KEY]
    if not path.exists():
        write_private(path, secrets.token_urlsafe(48))
    return path.read_text()


def save(data_dir: Path, variables: Mapping[str, str]) -> None:
    """Keep `variables` for other commands: `NAME='value'` lines that a shell can read too.

    Raises:
        InvalidInput: a value holds a quote or a line break, which such a line cannot.
    """
    for name, value in variables.items():
        if "'" in value or "\n" in value:
            raise InvalidInput(f"{name} must hold neither a quote nor a line break")
    write_private(data_dir / _FILE_NAME, "".join(f"{name}='{value}'\n" for name, value in variables.items()))


def load(data_dir: Path) -> None:
    """Make this process use the servers of `data_dir`, unless its environment names a database already.

    Raises:
        InvalidInput: neither is there.
    """
    if "DATABASE_URL" in os.environ:
        return
    path = data_dir / _FILE_NAME
    if not path.exists():
        raise InvalidInput(
            f"no server to talk to: start `adaptwin up --data-dir {data_dir}`, or set DATABASE_URL and {SECRET_KEY}"
        )
    for line in path.read_text().splitlines():
        name, _, value = line.partition("=")
        os.environ.setdefault(name, value.strip("'"))

"""Where `adaptwin up` says that it answers, and the key to it: two files of its folder."""

from pathlib import Path
from typing import Final, NamedTuple

from adaptwin_core.local.environment import write_private

URL_FILE: Final = "url"
KEY_FILE: Final = "api_key"
_ANYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104  # where such a server is reached


class Published(NamedTuple):
    """What a folder says of its service. None stands for what it does not say."""

    url: str | None
    key: str | None


def url_of(host: str, port: int) -> str:
    """Return the address at which this machine reaches a server that listens on `host`."""
    name = _ANYWHERE.get(host, host)
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def publish_url(data_dir: Path, host: str, port: int) -> None:
    write_private(data_dir / URL_FILE, f"{url_of(host, port)}\n")


def published(data_dir: Path) -> Published:
    return Published(_text(data_dir / URL_FILE), _text(data_dir / KEY_FILE))


def _text(path: Path) -> str | None:
    try:
        return path.read_text().strip() or None
    except (FileNotFoundError, NotADirectoryError):
        return None

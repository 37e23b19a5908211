"""Origins of web pages, as browsers send them: scheme, host and, where it is not the usual one, port."""

import re
from urllib.parse import urlsplit

ANY_ORIGIN = "*"
_HOST = re.compile(r"[a-z0-9._-]+|\[[0-9a-f:.]+\]")
_USUAL_PORTS = {"http": 80, "https": 443}


def parse_origins(text: str) -> tuple[str, ...]:
    """Read origins that are separated by commas.

    Raises:
        ValueError: one of them is no origin, or `*` stands beside others.
    """
    origins = tuple(part.strip() for part in text.split(",") if part.strip())
    if ANY_ORIGIN in origins and len(origins) > 1:
        raise ValueError(f"{ANY_ORIGIN} means every origin: give it alone, or name the origins")
    return tuple(origin if origin == ANY_ORIGIN else _checked(origin) for origin in origins)


def _checked(text: str) -> str:
    """Return an origin that has the form in which browsers send it: a browser compares nothing else."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"{text} is no origin: {error}") from error
    host = parts.netloc.rpartition("@")[2].partition(":")[0] if "[" not in parts.netloc else f"[{parts.hostname}]"
    if parts.scheme not in _USUAL_PORTS or not _HOST.fullmatch(host.lower()):
        raise ValueError(f"{text} is no origin: write it as https://app.example.com")
    is_usual = port is None or port == _USUAL_PORTS[parts.scheme]
    sent = f"{parts.scheme}://{host.lower()}" + ("" if is_usual else f":{port}")
    if text != sent:
        raise ValueError(f"{text} is not as a browser sends it: write {sent}")
    return text
